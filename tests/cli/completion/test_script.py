"""Completion's scripts: each shell can read its own, and installing it twice leaves one line in the start-up file."""

import shutil
import subprocess
from importlib import import_module

import pytest
import typer

script = import_module("dlexp.cli.completion.script")  # installed from cli/, which type checkers cannot see


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "ZDOTDIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("shell", [shell for shell in script.SCRIPTS if shutil.which(shell)])
def test_each_shell_that_is_installed_can_read_its_script(shell, tmp_path):
    path = tmp_path / "script"
    path.write_text(script.SCRIPTS[shell])
    subprocess.run([shell, "-n", path], check=True, capture_output=True)


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_installing_twice_leaves_one_line_behind_what_was_there(shell, home, monkeypatch, capsys):
    monkeypatch.setattr(script, "current_shell", lambda: shell)
    startup = home / f".{shell}rc"
    startup.write_text("alias ll='ls -l'")  # without an end of line
    for _ in range(2):
        with pytest.raises(typer.Exit):
            script.install(True)
    path = home / ".local/share/dlexp" / f"completion.{shell}"
    assert startup.read_text() == f"alias ll='ls -l'\nsource '{path}'\n"
    assert path.read_text() == script.SCRIPTS[shell]
    assert str(path) in capsys.readouterr().out


def test_fish_reads_its_folder_by_itself(home, monkeypatch):
    monkeypatch.setattr(script, "current_shell", lambda: "fish")
    with pytest.raises(typer.Exit):
        script.install(True)
    assert (home / ".config/fish/completions/dlexp.fish").read_text() == script.FISH
    assert [path.name for path in home.iterdir()] == [".config"]


def test_the_script_is_printed_where_it_is_asked_for(monkeypatch, capsys):
    monkeypatch.setattr(script, "current_shell", lambda: "zsh")
    with pytest.raises(typer.Exit):
        script.show(True)
    assert capsys.readouterr().out == script.ZSH
    script.show(False)
    script.install(False)
    assert capsys.readouterr().out == ""
