"""What is no file on a disk is refused before it is opened, and what does not fit before it is read."""

import os
from pathlib import Path

import pytest

from dlexp.data.file.guard import budget, leads_away, require_memory, require_regular
from dlexp.error import DataError


def pipe(path):
    os.mkfifo(path)


def link(target):
    return lambda path: path.symlink_to(target)


@pytest.mark.parametrize(
    ("make", "refusal"),
    [
        (pipe, "got a pipe; a file is needed"),
        (link("/dev/zero"), "got a device"),
        (link("/dev/full"), "got a device"),
        (link("/proc/self/maps"), "got a file of the system's"),
        (link("nowhere"), "cannot be read"),
        (Path.mkdir, "got a folder"),
    ],
)
def test_what_is_no_file(tmp_path, make, refusal):
    make(tmp_path / "x.csv")
    with pytest.raises(DataError, match=refusal) as error:
        require_regular(tmp_path / "x.csv")
    assert "\n" not in str(error.value)


def test_files_and_links_to_them(tmp_path):
    (tmp_path / "a").write_text("x")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    for name in ("a", "b"):
        require_regular(tmp_path / name)
    require_regular(tmp_path, can_be_folder=True)


@pytest.mark.parametrize(
    ("target", "expected"), [("/", True), ("/proc", True), ("/dev", True), ("..", True), (".", True), ("inner", False)]
)
def test_links_that_lead_away(tmp_path, target, expected):
    root = tmp_path / "set"
    (root / "inner").mkdir(parents=True)
    (root / "link").symlink_to(target)
    assert leads_away(root / "link", root) == expected
    assert not leads_away(root / "inner", root)


def test_memory_has_an_end():
    require_memory(1, "x", "y")
    with pytest.raises(
        DataError, match=r"^t.npz, x: its values need 1,000,000.0 GB, .* GB of memory are free; buy more$"
    ):
        require_memory(10**15, "t.npz, x: its values", "buy more")


@pytest.mark.parametrize(("text", "size"), [("4GiB", 4 * 2**30), ("1.5 MB", 1.5e6), ("2TB", 2e12)])
def test_sizes(text, size):
    assert budget(text) == size
