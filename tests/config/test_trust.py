"""Whose code may run: what the user named, here or before on this machine, and nothing else."""

import json
import sys
from pathlib import Path

import pytest

from dlexp.config import trust
from dlexp.error import ConfigError, RunError


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch) -> Path:
    """A machine and a process where nothing was named yet, in a folder with the package `mine`."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(trust, "_granted", set())
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text("raise AssertionError('imported')\n")
    return tmp_path


def another_process(monkeypatch) -> None:
    monkeypatch.setattr(trust, "_granted", set())


def test_what_the_user_names_may_run_and_is_remembered(monkeypatch):
    assert not trust.is_granted("mine")
    trust.accept(["mine"])
    assert trust.is_granted("mine")
    assert not trust.is_granted("others")
    another_process(monkeypatch)
    trust.require(["mine"], "run1")
    assert trust.is_granted("mine")


def test_what_a_run_folder_names_does_not_count_by_itself():
    with trust.words_of("run1"), pytest.raises(RunError, match="run1: its configuration runs code of 'mine'"):
        trust.accept(["mine"])
    assert not trust.is_granted("mine")
    trust.accept(["mine"])
    with trust.words_of("run1"):
        trust.accept(["mine"])


def test_code_of_the_same_name_in_another_place_is_other_code(place, monkeypatch):
    trust.accept(["mine"])
    another_process(monkeypatch)
    sys.path.remove(str(place))
    elsewhere = place / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine.py").write_text("")
    monkeypatch.chdir(elsewhere)
    with pytest.raises(RunError, match="--trust"):
        trust.require(["mine"], "run1")


@pytest.mark.parametrize("name", ["a.b", "", "1a", "a b", "dlexp", "os", "subprocess"])
def test_names_that_are_no_package_of_the_user_s_are_refused(name):
    with pytest.raises(ConfigError, match="trusted: got"):
        trust.grant([name])
    assert not trust.is_granted(name)


@pytest.mark.parametrize("content", ["", "[]", "{", "7"])
def test_a_damaged_memory_is_none(place, content):
    path = place / "config" / "dlexp" / "trust.json"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    with pytest.raises(RunError):
        trust.require(["mine"], "run1")
    trust.accept(["mine"])
    assert json.loads(path.read_text()) == {"mine": str(place / "mine.py")}


def test_without_packages_nothing_changes():
    before = list(sys.path)
    trust.accept([])
    trust.require([], "run1")
    assert sys.path == before
