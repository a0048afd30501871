import itertools
import random
import re
import subprocess
import sys
import time
import unicodedata
from pathlib import Path

import pytest

from dlexp.run.folder import RunFolder
from dlexp.run.name import RESERVED, clean, experiment_folder, new_run_id, slug
from dlexp.run.scan import find, run_paths


def test_ids_sort_by_time_and_are_short():
    ids = []
    for _ in range(20):
        ids.append(new_run_id())
        time.sleep(0.002)
    assert ids == sorted(ids)
    assert all(re.fullmatch(r"[0-9a-z]{11}", run_id) for run_id in ids)


def test_ids_of_processes_that_start_at_once_differ():
    code = "from dlexp.run.name import new_run_id\nfor _ in range(50): print(new_run_id())"
    processes = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(4)]
    ids = [line for process in processes for line in process.communicate()[0].split()]
    assert len(set(ids)) >= 199  # 3 characters of chance: two of one millisecond meet in 1 of 32,768


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ([], "default"),
        (["model=resnet", "optimizer.lr=0.1"], "resnet-lr0.1"),
        (["data=iris", "trainer.epochs=3", "model=cnn", "data.limit=9", "seed=1"], "cnn-seed1-epochs3-iris-limit9"),
        (["dropout=none", "seed=3"], "no-dropout-seed3"),
        (["+model.widths=[64,32]"], "widths-64-32"),
        (["runs_dir=/tmp/x", "tracking.uri=http://a", "tracking=none"], "default"),
        (["data.path=../../etc/passwd"], "path..-..-etc-passwd"),
        (["optimizer.lr=0.6440499214879144", "optimizer.betas=[0.9,0.99996]"], "lr0.644-betas-0.9-0.99996"),
        (["optimizer.lr=3.2512345e-05", "regularizer.weight=12345.678901"], "lr3.25e-05-weight1.23e4"),
        (["optimizer.lr=1e+16", "data.path=run-0.123456.csv"], "lr1e16-pathrun-0.123456.csv"),
    ],
)
def test_a_slug_says_what_was_set(overrides, expected):
    assert slug(overrides) == expected


@pytest.mark.parametrize("text", ["../..", "a/b", "x" * 500, "ä b\n", ".hidden", "--", "a\0b"])
def test_a_clean_name_is_a_safe_file_name(text):
    cleaned = clean(text)
    assert re.fullmatch(r"[\w=]?[\w.=-]*", cleaned)
    assert len(cleaned) <= 48
    assert not cleaned.startswith(".")


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
