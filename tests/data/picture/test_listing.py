"""Which files of a folder are its pictures, and what is said of the others."""

import os
import sys
from collections import Counter
from pathlib import Path

import pytest

from dlexp.data.bound import tree
from dlexp.data.picture.listing import HIDDEN, has_pictures, is_hidden, list_folders, list_pictures, say
from dlexp.error import DataError


@pytest.fixture
def folder(tmp_path):
    for name in ("b.png", "a.JPG", "deep/c.tif", "notes.txt", ".d.png", "Thumbs.db", "__MACOSX/e.png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return tmp_path


def test_pictures_in_order_and_the_rest_counted(folder):
    listing = list_pictures(folder)
    assert [path.relative_to(folder).as_posix() for path in listing.files] == ["a.JPG", "b.png", "deep/c.tif"]
    assert listing.left_out == {HIDDEN: 3, ("file", " of another kind (.txt)"): 1}


def test_a_link_is_followed_once_and_a_cycle_ends(folder):
    (folder / "deep" / "up").symlink_to(folder)
    (folder / "again").symlink_to(folder / "deep")
    (folder / "gone.png").symlink_to(folder / "nowhere.png")
    listing = list_pictures(folder)
    assert len(listing.files) == 3
    assert listing.left_out[("link", " to folders read already")] == 2
    assert listing.left_out[("link", " to nowhere")] == 1


def test_a_folder_may_be_deeper_than_functions_call_each_other(tmp_path, monkeypatch):
    depth = sys.getrecursionlimit() + 50
    monkeypatch.chdir(tmp_path)
    for _ in range(depth):
        os.mkdir("d")
        os.chdir("d")
    Path("a.png").touch()
    os.chdir(tmp_path)
    (file,) = list_pictures(tmp_path).files
    assert len(file.relative_to(tmp_path).parts) == depth + 1
    file.unlink()
    os.removedirs(file.parent)


def test_of_a_link_to_the_root_of_the_disk_hardly_anything_is_looked_at(tmp_path, monkeypatch):
    monkeypatch.setattr(tree, "MOST_OTHERS", 30)
    (tmp_path / "root").symlink_to("/")
    with pytest.raises(DataError, match=r"root: got \d+ pictures? among the first \d+ entries; name the folder"):
        list_pictures(tmp_path / "root")


@pytest.mark.parametrize("name", [".git", "._0.png", "__MACOSX", "Thumbs.db", "desktop.ini"])
def test_hidden_names(tmp_path, name):
    assert is_hidden(tmp_path / name)


def test_pictures_in_the_folder_itself(folder):
    assert has_pictures(folder)
    (folder / "deep" / "c.tif").rename(folder / "deep" / ".c.tif")
    assert not has_pictures(folder / "deep")


def test_what_is_said():
    assert say(Counter()) == []
    assert say(Counter({("link", " away"): 1200, HIDDEN: 1, ("file", ""): 0})) == [
        "left out: 1 hidden entry, 1,200 links away"
    ]


def test_pipes_devices_and_links_that_lead_away_are_left_out(tmp_path):
    folder = tmp_path / "set" / "cats"
    folder.mkdir(parents=True)
    os.mkfifo(folder / "pipe.png")
    (folder / "zero.png").symlink_to("/dev/zero")
    for number, target in enumerate(("/", "/proc", "/proc/self/root", "..")):
        (folder / f"link{number}").symlink_to(target)
    listing = list_pictures(folder)
    assert listing.files == []
    assert listing.left_out == {("special file", ""): 2, ("link", " to folders of the system's or above"): 4}


def test_folders_in_order(tmp_path):
    for name in ("b", "a", ".c"):
        (tmp_path / name).mkdir()
    (tmp_path / "d").symlink_to("/")
    left_out = Counter()
    assert [path.name for path in list_folders(tmp_path, left_out)] == ["a", "b"]
    assert left_out == {("link", " to folders of the system's or above"): 1}
