"""Walks through folders end, whatever the folder."""

import os
import shutil
from pathlib import Path

import pytest

from dlexp.data.bound import tree
from dlexp.data.bound.tree import MOST, MOST_OTHERS, Walk, files_within
from dlexp.error import DataError


def meet(walk: Walk, examples: int, others: int) -> None:
    for number in range(examples + others):
        walk.count(number < examples)


def test_a_folder_that_vanishes_while_it_is_walked_is_left_out(tmp_path):
    for name in ("a/1", "b/2", "c/d/3"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    os.mkfifo(tmp_path / "pipe")
    assert {file.name for file in files_within(tmp_path)} == {"1", "2", "3"}
    walking = files_within(tmp_path)
    seen = {next(walking).name}
    for name in "abc":
        shutil.rmtree(tmp_path / name)
    assert {file.name for file in walking} | seen == seen


def test_what_the_system_makes_up_is_not_walked(tmp_path):
    link = tmp_path / "link"
    link.symlink_to("/proc")
    assert {file.parent for file in files_within(link)} == {link}


def test_a_walk_that_meets_hardly_an_example_is_broken_off(monkeypatch):
    monkeypatch.setattr(tree, "MOST_OTHERS", 50)
    line = r"^disk: got 1 picture among the first 62 entries; name the folder that holds them$"
    walk = Walk(Path("disk"), "picture")
    with pytest.raises(DataError, match=line):
        meet(walk, 1, 1000)


def test_a_walk_without_an_end_is_broken_off(monkeypatch):
    monkeypatch.setattr(tree, "MOST", 100)
    walk = Walk(Path("disk"), "picture")
    with pytest.raises(DataError, match=r"^disk: got 101 pictures among the first 101 entries"):
        meet(walk, 1000, 0)


def test_a_folder_of_pictures_with_files_beside_each_is_no_disk():
    walk = Walk(Path("photos"), "picture")
    meet(walk, 100_000, 900_000)
    assert walk.examples * 10 + MOST_OTHERS < MOST
