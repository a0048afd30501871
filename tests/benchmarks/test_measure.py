"""A benchmark that is asked what it takes says so, and measures nothing."""

import re
import runpy
from pathlib import Path

import pytest

from benchmarks.measure import command_line

ROOT = Path(__file__).parents[2]
COMMAND = re.compile(r"python -m (benchmarks\.[a-z_.]*[a-z])")
PAGES = (ROOT / "docs").glob("*.md")
NAMED = sorted({name for page in PAGES for name in COMMAND.findall(page.read_text())} - {"benchmarks.statistic"})


def test_a_benchmark_without_arguments_refuses_them(capsys):
    parser = command_line("What is measured.\n\nMore.")
    assert parser.parse_args([]) is not None
    with pytest.raises(SystemExit) as caught:
        parser.parse_args(["nonsense"])
    assert caught.value.code == 2
    assert "unrecognized arguments: nonsense" in capsys.readouterr().err
    assert "What is measured.\n" in parser.format_help()


@pytest.mark.parametrize(("name", "words"), [("benchmarks.step", ["--help"]), ("benchmarks.memory", ["nonsense"])])
def test_a_benchmark_that_does_not_know_its_arguments_measures_nothing(name, words, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", [name, *words])
    with pytest.raises(SystemExit) as caught:
        runpy.run_module(name, run_name="__main__")
    assert caught.value.code == (0 if words == ["--help"] else 2)
    assert "usage: " in "".join(capsys.readouterr())


@pytest.mark.parametrize("name", NAMED)
def test_a_benchmark_that_pages_name_reads_its_arguments(name):
    path = ROOT.joinpath(*name.split("."))
    file = path / "__main__.py" if path.is_dir() else path.with_suffix(".py")
    assert ".parse_args(" in file.read_text()
