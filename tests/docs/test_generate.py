"""The generated pages are those of today's code, and leave nothing out that YAML files and `--help` have."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from docs import generate
from tests.command import run

ROOT = Path(__file__).parents[2]
HEAVY = {"torch", "torchvision", "mlflow", "optuna", "matplotlib", "sklearn", "pandas"}
OPTIONS = sorted((ROOT / "conf").glob("*/[!_]*.yaml"))  # with a "_": what several options include
OPTIONS_OF = {path.parent.name: [p.stem for p in OPTIONS if p.parent == path.parent] for path in OPTIONS}


def section(page: str, title: str) -> str:
    """Return what stands under a heading of the second level."""
    text = (generate.FOLDER / page).read_text(encoding="utf-8")
    assert text.count(f"\n## {title}\n") == 1
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_the_pages_are_those_of_the_code():
    for path, text in generate.pages().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is old: run python -m docs.generate"


@pytest.mark.parametrize("path", OPTIONS, ids=lambda path: f"{path.parent.name}={path.stem}")
def test_every_option_and_parameter_of_the_yaml_files_is_listed(path):
    group = section("options.md", path.parent.name)
    assert group.count(f"\n| `{path.stem}` |") == 1
    values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    is_recipe = path.parent.name == "experiment"  # it sets parameters of other groups and has none
    for name in () if is_recipe else values.keys() - {"_target_", "defaults"}:
        rows = [line for line in group.splitlines() if line.startswith(f"| `{path.parent.name}.{name}` |")]
        owners = {owner for row in rows for owner in row.rsplit("|", 2)[1].strip().split(", ")}
        assert owners & {"all", path.stem} or len(OPTIONS_OF[path.parent.name]) == len(rows) == 1, name


@pytest.mark.parametrize("command", ["train", "sweep", "cv", "eval", "predict", "compare", "runs", "ui", "doctor"])
def test_every_flag_of_the_help_is_listed(command):
    shown = run(Path(), command, "--help").stdout
    flags = set(re.findall(r"^│ +\*? *(--[a-z-]+)", shown, re.M)) - {"--help"}
    assert {"--json", "--quiet", "--debug"} < flags
    assert flags <= set(re.findall(r"--[a-z-]+", section("commands.md", f"dlexp {command}")))


def test_the_default_option_comes_first():
    assert re.findall(r"^\| `(\w+)` \|", section("options.md", "norm"), re.M)[0] == "batch"


def test_a_parameter_that_options_share_alike_is_one_row():
    rows = [line for line in section("options.md", "optimizer").splitlines() if "`optimizer.momentum`" in line]
    assert [row.rsplit("|", 2)[1].strip() for row in rows] == ["momentum, nesterov"]


def test_marks_that_markdown_would_read_are_shown_as_they_stand():
    assert generate.escape("a*b in [0, 1] | x < 2") == r"a\*b in \[0, 1\] &#124; x &lt; 2"
    assert generate.choices("auto|off") == "auto, off"


def test_generating_imports_nothing_heavy():
    code = f"import sys; from docs import generate; generate.pages(); print(sorted({HEAVY} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_only_files_with_another_text_are_written_and_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    (tmp_path / "old.md").write_text("1")
    generate.write({tmp_path / "old.md": "1", tmp_path / "new.md": "2"})
    generate.write({tmp_path / "new.md": "2"})
    assert (tmp_path / "new.md").read_text() == "2"
    assert capsys.readouterr().out == "changed new.md\nnothing changed\n"
