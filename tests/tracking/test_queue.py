"""The list of runs to send: each once, in the order of the commands, until it is struck off."""

import os
import shutil

import pytest

from dlexp.run.folder import RunFolder
from dlexp.tracking.queue import Queue


@pytest.fixture
def make(tmp_path):
    folders = []

    def create():
        folder = RunFolder.create(tmp_path, "x", "y", config={}, overrides=[], manifest={"kind": "train"})
        folders.append(folder)
        return folder

    yield create
    for folder in folders:
        folder.unlock()


def paths(queue):
    return [folder.path for folder in queue.waiting()]


def test_runs_stand_in_it_once_in_their_order(make, tmp_path):
    queue = Queue(tmp_path)
    assert paths(queue) == []
    first, second = make(), make()
    for folder in (second, first, first):
        queue.add(folder)
    entries = sorted((tmp_path / ".outbox").glob("*.run"), key=lambda entry: second.path.name in entry.read_text())
    for age, entry in enumerate(reversed(entries)):
        os.utime(entry, ns=(age, age))  # clocks of disks are coarse
    assert paths(Queue(tmp_path)) == [second.path, first.path]
    assert queue.holds(first)
    queue.remove(first)
    queue.remove(first)
    assert not queue.holds(first)
    assert paths(queue) == [second.path]


def test_a_runs_folder_may_be_moved_and_a_run_deleted(make, tmp_path):
    runs_dir = tmp_path / "runs"
    stays, goes = (
        RunFolder.create(runs_dir, "x", "y", config={}, overrides=[], manifest={"kind": "train"}) for _ in range(2)
    )
    for folder in (stays, goes):
        Queue(runs_dir).add(folder)
        folder.unlock()
    shutil.rmtree(goes.path)
    shutil.move(runs_dir, tmp_path / "moved")
    queue = Queue(tmp_path / "moved")
    assert paths(queue) == [tmp_path / "moved" / stays.path.relative_to(runs_dir)]
    assert len(list((tmp_path / "moved" / ".outbox").glob("*.run"))) == 1
