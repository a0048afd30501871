"""The project that `dlexp init` writes keeps to its own schema, and its questions are searches."""

import sys
from pathlib import Path

import pytest
import yaml

from dlexp.config.schema.write import MARK
from dlexp.config.source.project import FILES, write_project
from dlexp.config.source.question import searched_keys
from dlexp.error import ConfigError


@pytest.fixture(autouse=True)
def own_path(monkeypatch):
    """Leave the folders of these projects to these tests: another has a package of the same name."""
    monkeypatch.setattr(sys, "path", list(sys.path))


def test_it_goes_into_a_folder_that_is_absent_or_empty(tmp_path):
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "empty", tmp_path / "a" / "b"):
        written = write_project(folder)
        assert {*FILES} < {*written["files"]}
        assert all((folder / name).is_file() for name in [*written["files"], written["schema"]])
    marked = [path for path in (tmp_path / "a" / "b" / "conf").rglob("*.yaml") if MARK in path.read_text()]
    assert len(marked) == 4
    conf = tmp_path / "a" / "b" / "conf"
    assert list(searched_keys(["+experiment=rates"], conf)) == ["optimizer.lr", "seed"]
    assert list(searched_keys(["+experiment=models"], conf)) == ["model"]
    assert yaml.safe_load((tmp_path / "a" / "b" / ".github" / "workflows" / "check.yml").read_text())["jobs"]
    assert "# b\n" in (tmp_path / "a" / "b" / "README.md").read_text()


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("mine")
    with pytest.raises(ConfigError, match=r"DIR: got .*full, which is not empty; name a folder that"):
        write_project(tmp_path / "full")
    with pytest.raises(ConfigError, match=r"DIR: got .*x, a file; name a folder"):
        write_project(tmp_path / "full" / "x")
    with pytest.raises(ConfigError, match=r"DIR: got .*y, below the file .*x; name a folder"):
        write_project(tmp_path / "full" / "x" / "y")
    assert [path.name for path in Path(tmp_path / "full").iterdir()] == ["x"]
