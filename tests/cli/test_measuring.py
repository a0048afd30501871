"""What is seen while a dry run measures."""

import io
from functools import partial
from importlib import import_module
from types import SimpleNamespace

from rich.console import Console

from tests import command

measuring = import_module("dlexp.cli.measuring").measuring  # installed from cli/, which type checkers cannot see
QUICK = ["data=iris", "model.widths=[4]", "trainer.epochs=1", "trainer.threads=1", "--dry-run"]


def shown(monkeypatch, *, is_terminal):
    """Return the live line and the text of a console on which two structures are measured."""
    stream, heard = io.StringIO(), []
    console = Console(file=stream, force_terminal=is_terminal, width=60, color_system=None)

    def status(text):
        heard.append(text)
        return SimpleNamespace(
            update=heard.append, start=partial(heard.append, "on"), stop=partial(heard.append, "off")
        )

    monkeypatch.setattr(console, "status", status)
    with measuring(console) as tell:
        for done in range(2):
            tell(done, 2)
    return heard, stream.getvalue()


def test_a_terminal_has_a_live_line(monkeypatch):
    lines = [f"measuring structure {number} of 2, a minute at most" for number in (1, 2)]
    assert shown(monkeypatch, is_terminal=True) == (["preparing", "on", *lines, "off"], "")


def test_elsewhere_it_is_one_line(monkeypatch):
    assert shown(monkeypatch, is_terminal=False) == ([], "measuring 2 structures, a minute at most\n")


def test_every_dry_run_says_that_it_measures(tmp_path):
    for name in ("train", "sweep", "cv"):
        searched = ["optimizer.lr=0.1,0.2"] if name == "sweep" else []
        done = command.run(tmp_path, name, *QUICK, *searched)
        assert (done.returncode, done.stdout.splitlines()[0]) == (0, "measuring 1 structure, a minute at most")
