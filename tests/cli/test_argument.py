"""The user's folder of YAML files and the folder of runs: the project's by default."""

from importlib import import_module
from typing import get_type_hints

import pytest
from typer.models import OptionInfo
from typer.testing import CliRunner

APP = import_module("dlexp.cli.app").app  # installed from cli/, which type checkers cannot see


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conf" / "optimizer").mkdir(parents=True)
    (tmp_path / "conf" / "optimizer" / "sgd.yaml").write_text("_target_: dlexp.optimizer.sgd.SGD\nlr: 0.7\n")
    (tmp_path / "conf" / "optimizer" / "mine.yml").write_text("_target_: dlexp.optimizer.sgd.SGD\n")
    (tmp_path / "dlexp.toml").write_text('runs_dir = "R"\n')
    return tmp_path


def test_the_projects_folders_count_and_what_stands_in_for_shipped_files_is_said(project):
    done = CliRunner().invoke(APP, ["config"])
    assert "lr: 0.7\n" in done.stdout
    assert "runs_dir: R\n" in done.stdout
    assert done.stderr == (
        "note: conf/optimizer/sgd.yaml stands in for the shipped optimizer/sgd.yaml\n"
        "note: conf/optimizer/mine.yml is not read; rename it to mine.yaml\n"
    )
    assert "R: no runs yet" in CliRunner().invoke(APP, ["runs"]).output


def test_what_is_typed_comes_first(project):
    (project / "other").mkdir()
    done = CliRunner().invoke(APP, ["config", "--config-dir", "other", "runs_dir=X"])
    assert "lr: 0.1\n" in done.stdout
    assert "runs_dir: X\n" in done.stdout
    assert done.stderr == ""
    assert "Y: no runs yet" in CliRunner().invoke(APP, ["runs", "--runs-dir", "Y"]).output


@pytest.mark.parametrize("lines", ["", 'config_dir = "conf"\n'])
def test_a_default_is_no_option_that_was_typed(project, lines):
    (project / "dlexp.toml").write_text(lines)
    done = CliRunner().invoke(APP, ["compare", "a", "b"])
    assert "--config-dir" not in str(done.exception)
    assert "no runs" in str(done.exception)
    done = CliRunner().invoke(APP, ["compare", "a", "b", "--config-dir", "conf"])
    assert "--config-dir: have no effect here" in str(done.exception)


def test_an_option_whose_placeholder_is_its_name_is_named_in_words():
    """Typer 0.27 takes such a placeholder for the name: `--URI URI`."""
    unnamed = [
        f"{command.callback.__name__} {name}"
        for command in APP.registered_commands
        for name, hint in get_type_hints(command.callback, include_extras=True).items()
        for option in getattr(hint, "__metadata__", ())
        if isinstance(option, OptionInfo)
        and (option.metavar or "").lower() == name
        and not str(option.default).startswith("--")  # where Typer has what an annotation names first
    ]
    assert unnamed == []
