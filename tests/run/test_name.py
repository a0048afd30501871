import re
import subprocess
import sys
import time

import pytest

from dlexp.run.name import clean, new_run_id, slug


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
        (["dropout=none", "seed=3"], "no-dropout-seed3"),
        (["+model.widths=[64,32]"], "widths-64-32"),
        (["runs_dir=/tmp/x", "tracking.uri=http://a", "tracking=none"], "default"),
        (["data.path=../../etc/passwd"], "path..-..-etc-passwd"),
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
