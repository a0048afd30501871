"""What the pages show can be typed: commands, flags and overrides exist, errors read as shown, links lead somewhere."""

import re
import shlex
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer

from dlexp.config.override import parse
from dlexp.config.resolve import resolve
from dlexp.config.space import read_space
from tests import command

ROOT = Path(__file__).parents[2]
GROUP: Any = typer.main.get_command(import_module("dlexp.cli.app").app)  # type checkers cannot see dlexp.cli
COMMANDS = GROUP.commands
FILES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
SHOWN = re.compile(r"^\$ (dlexp (?:[^\n]*\\\n)*[^\n]*)\n([^\n]*)", re.M)


def shown_commands():
    """Yield the file, the words and the line below of every command that stands behind a prompt."""
    for path in FILES:
        for typed, below in SHOWN.findall(path.read_text(encoding="utf-8")):
            yield pytest.param(shlex.split(typed, comments=True)[1:], below, id=f"{path.stem}: {typed[:60]}")


@pytest.mark.parametrize(("words", "below"), list(shown_commands()))
def test_a_shown_command_can_be_typed(words, below, monkeypatch):
    monkeypatch.setenv("MLFLOW_PASSWORD", "secret")  # a shown command looks it up
    name, *rest = words
    if name.startswith("--"):
        return
    flags = {flag for parameter in COMMANDS[name].params for flag in (*parameter.opts, *parameter.secondary_opts)}
    assert {word for word in rest if word.startswith("-")} <= flags
    overrides = [word for word in rest if re.match(r"[a-z_.]+=", word)]
    if below.startswith("config error: "):
        done = command.run(Path(), *words)
        assert (done.returncode, done.stderr) == (2, below + "\n")
    elif name in ("train", "sweep", "cv") and "--config-dir" not in rest:
        if any(override.is_sweep for override in parse(overrides)):
            read_space(overrides, None, job=name)
        else:
            resolve(overrides, None, job=name)


def test_every_command_is_in_the_short_table():
    table = (ROOT / "docs" / "reference" / "index.md").read_text(encoding="utf-8").partition("## Commands in short")[2]
    listed = re.findall(r"^\| `dlexp (\w+)", table, re.M)
    assert sorted(listed) == sorted(name for name, made in COMMANDS.items() if not made.hidden)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files_and_headings(path):
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        assert "://" not in target, "a page names no address that may vanish"
        name, _, anchor = target.partition("#")
        linked = (path.parent / name) if name else path
        assert linked.is_file(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", linked.read_text(encoding="utf-8"), re.M)
            assert anchor in [re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings], target


def test_every_page_can_be_reached_from_the_readme():
    known, waiting = set(), [ROOT / "README.md"]
    while waiting:
        path = waiting.pop()
        if path not in known and path.suffix == ".md":
            known.add(path)
            links = re.findall(r"\]\(([^)\s#]+)", path.read_text(encoding="utf-8"))
            waiting += [(path.parent / link).resolve() for link in links]
    assert set(FILES) - known == {ROOT / "docs" / "index.md"}  # the site's first page stands for the README
