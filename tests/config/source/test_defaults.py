"""The defaults of a project: found upwards, before shipped values, behind YAML files and the command line."""

import os
from pathlib import Path

import pytest

from dlexp.config.resolve import resolve
from dlexp.config.source.defaults import Defaults, read_defaults
from dlexp.error import ConfigError


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "sub" / "deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "sub" / "deep")
    return tmp_path


def write(folder, text, name="dlexp.toml"):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    return read_defaults()


def test_without_a_file_there_are_none(project):
    assert read_defaults() == Defaults()
    assert str(read_defaults().runs_dir) == "runs"
    assert resolve([]).config["runs_dir"] == "runs"


def test_the_nearest_file_counts_and_its_paths_are_its_own(project):
    write(project, 'runs_dir = "far"\n')
    defaults = write(
        project / "sub", '# mine\nruns_dir = "R"\nconfig_dir = "/abs"\n[tracking]\nuri = "sqlite:///m.db"\n'
    )
    assert defaults.path == project / "sub" / "dlexp.toml"
    assert defaults.values == {
        "runs_dir": f"{project}/sub/R",
        "config_dir": "/abs",
        "tracking.uri": f"sqlite:///{project}/sub/m.db",
    }
    assert defaults.lines == {"runs_dir": 2, "config_dir": 3, "tracking.uri": 5}


def test_in_its_own_folder_a_path_stays_as_it_is_written(project, monkeypatch):
    monkeypatch.chdir(project)
    assert write(project, 'runs_dir = "R"\ntracking.uri = "http://h"\n').values == {
        "runs_dir": "R",
        "tracking.uri": "http://h",
    }


@pytest.mark.parametrize("name", ["dlexp.toml", "conf/dlexp.toml"])
def test_a_folder_conf_beside_it_is_the_folder_of_yaml_files(project, name):
    (project / "conf").mkdir()
    assert write(project, "", name).config_dir == project / "conf"


def test_precedence(project):
    """Shipped value < dlexp.toml < the user's YAML < command line."""
    (project / "yaml" / "experiment").mkdir(parents=True)
    (project / "yaml" / "experiment" / "e.yaml").write_text("# @package _global_\nruns_dir: from_yaml\n")
    write(project, 'runs_dir = "R"\ntracking.uri = "http://h"\n')
    assert resolve([]).config["runs_dir"] == f"{project}/R"
    assert resolve([]).config["tracking"]["uri"] == "http://h"
    assert resolve(["tracking=none"]).config["tracking"].keys() == {"_target_", "experiment"}
    assert resolve(["experiment=e"], project / "yaml").config["runs_dir"] == "from_yaml"
    assert resolve(["experiment=e", "runs_dir=typed"], project / "yaml").config["runs_dir"] == "typed"
    assert resolve(["runs_dir=runs", "tracking.uri=null"]).config["tracking"]["uri"] is None
    assert resolve(["runs_dir=runs"]).config["runs_dir"] == "runs"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('run_dir = "x"', "got the key run_dir; it may set config_dir, runs_dir, tracking.uri; did you mean runs_dir?"),
        ("runs_dir = 3", "got runs_dir = 3; a text in quotes is needed"),
        (
            'tracking = "x"',
            "got the key tracking; it may set config_dir, runs_dir, tracking.uri; did you mean tracking.uri?",
        ),
        (
            'tracking.url = "x"',
            "got the key tracking.url; it may set config_dir, runs_dir, tracking.uri; did you mean tracking.uri?",
        ),
    ],
)
def test_mistakes(project, text, message):
    with pytest.raises(ConfigError) as caught:
        write(project, text)
    assert str(caught.value) == f"{project}/dlexp.toml: {message}"


@pytest.mark.parametrize("text", ["runs_dir = x", "runs_dir", "\x00"])
def test_what_is_no_toml_is_refused_in_a_line(project, text):
    with pytest.raises(ConfigError, match=r"dlexp\.toml: got text that is no TOML"):
        write(project, text)


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give files away")
def test_a_file_of_another_user_is_refused(project):
    write(project, 'runs_dir = "x"')
    os.chown(project / "dlexp.toml", 12345, 12345)
    os.utime(project / "dlexp.toml", ns=(1, 1))
    if os.stat(project / "dlexp.toml").st_uid == 0:
        pytest.skip("this file system does not keep owners")
    with pytest.raises(ConfigError, match="belongs to another user"):
        read_defaults()


def test_paths_may_begin_at_home(project, monkeypatch):
    monkeypatch.setenv("HOME", "/h")
    write(project, 'runs_dir = "~/r"\ntracking.uri = "sqlite:///~/m.db"\n')
    defaults = read_defaults()
    assert defaults.runs_dir == Path("/h/r")
    assert defaults.values["tracking.uri"] == "sqlite:///~/m.db"  # the store looks for it at home
