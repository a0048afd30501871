"""Whatever somebody types as a name: its folder lies below its root, and no two names share one."""

import itertools
import random
import unicodedata
from pathlib import Path

import pytest

from dlexp.run.folder import RunFolder
from dlexp.run.name import RESERVED, clean, experiment_folder
from dlexp.run.scan import find, run_paths

SCRIPTS = [
    "模型",
    "数据.csv",
    "цель",
    "نموذج",
    "דגם",
    "मॉडल",
    "แบบจำลอง",
    "モデル",
    "모델",
    "Ünïcödé",
    "e\u0301",
    "é",
    "🎲",
    "🎲🎲",
    "ﬁ",
    "\u202egpj.exe",
]
DOTS = [
    "",
    ".",
    "..",
    "...",
    "../..",
    "../../../X",
    "..\\..\\X",
    "/etc/passwd",
    "//x",
    "a/../../b",
    "./a",
    "a/",
    "/",
    "~",
    "~root",
    "-",
    "--help",
    "-rf",
]
PERCENT = [
    "%2e%2e",
    "%2e%2e%2f%2e%2e%2fX",
    "%252e%252e",
    "..%2fX",
    "%00",
    "%c0%ae%c0%ae/",
    "%",
    "a%20b",
    "file:///tmp/x",
    "sqlite:///x",
]
ODD = [
    "my study",
    "my-study",
    "my  study",
    " my study",
    "a\0b",
    "a\nb",
    "a\tb",
    "a'b",
    'a"b',
    "a?b",
    "a#b",
    "a*b",
    "a:b",
    "a|b",
    "a;b",
    "$HOME",
    "${x}",
    "`id`",
    "\x1b[31mred",
    "\udcff",
    "a\udce9b",
    "\ud800",
]
LONG = ["x" * 300, "x" * 299 + "y", "数" * 300, "数" * 299 + "y", "a b" * 100, "." * 300, "/" * 300, "../" * 100]
NAMES = [*SCRIPTS, *DOTS, *PERCENT, *ODD, *LONG, *RESERVED, *(name.upper() for name in RESERVED)]
_draw = random.Random(5)
NAMES += [
    "".join(_draw.choices("ab./\\%2e -\0数é\udcff", k=_draw.randint(1, 60))) for _ in range(200 - len(set(NAMES)))
]
NAMES = list(dict.fromkeys(NAMES))


def test_there_are_two_hundred_names():
    assert len(NAMES) >= 198


@pytest.mark.parametrize("label", [clean, experiment_folder])
def test_a_label_is_one_step_down_and_fits_a_file_system(label):
    for name in NAMES:
        made = label(name)
        assert Path("root", made) == Path("root") / made
        assert len(Path(made).parts) == (1 if made else 0), name
        assert not made.startswith((".", "-")), name
        assert len(made.encode()) <= 140, name
        assert not any(unicodedata.category(character).startswith("C") for character in made), name


def test_experiments_of_different_names_have_different_folders():
    folders = {name: experiment_folder(name) for name in NAMES}
    for a, b in itertools.combinations(NAMES, 2):
        assert folders[a] != folders[b], (a, b)
    assert all(folders.values())
    assert not {folder.lower() for folder in folders.values()} & set(RESERVED)


@pytest.mark.parametrize("name", ["digits", "my-study", "模型", "数据.csv", "v1.2_b=3", "é"])
def test_a_plain_name_is_its_own_folder(name):
    assert experiment_folder(name) == name


def test_every_run_lies_two_steps_below_its_root_and_is_found(tmp_path):
    root = tmp_path / "deep" / "er" / "runs"
    for name in NAMES:
        folder = RunFolder.create(root, name, name, config={}, overrides=[], manifest={"kind": "train", "packages": {}})
        folder.unlock()
        assert folder.path.parent.parent == root
        assert find(root, folder.run_id).path == folder.path
        assert folder.manifest["experiment"] == name
        assert folder.runs_dir == root
    assert len(run_paths(root)) == len(NAMES)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deep"]
