"""A worker: environment before work, events and DONE out, the wish to stop in, and its end with its parent's."""

import multiprocessing
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dlexp.launcher import worker as worker_module
from dlexp.launcher.worker import DONE, STOP, serve

PATIENCE = 60  # seconds: a process starts within a few


class Work:
    """Yields what it is told to, and whether it was asked to stop."""

    def __init__(self) -> None:
        self.place = os.environ["DLEXP_TEST_PLACE"]

    def __call__(self, task: Any, should_stop: Callable[[], bool]) -> Iterator[Any]:
        yield self.place
        if task == "wait":
            while not should_stop():
                pass
        yield (task, should_stop())


@pytest.fixture
def worker():
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, Work, {"DLEXP_TEST_PLACE": "third"}, None))
    process.start()
    theirs.close()
    yield process, ours
    process.kill()
    process.join()


def receive(connection) -> Any:
    assert connection.poll(PATIENCE), "the worker says nothing"
    return connection.recv()


def test_tasks_in_events_and_done_out_then_the_end_of_the_parent(worker):
    process, connection = worker
    for task in ("one", "two"):
        connection.send(task)
        assert [receive(connection) for _ in range(3)] == ["third", (task, False), DONE]
    connection.send("wait")
    assert receive(connection) == "third"
    connection.send(STOP)
    assert [receive(connection) for _ in range(2)] == [("wait", True), DONE]
    connection.close()
    process.join(PATIENCE)
    assert process.exitcode == 0


def test_a_worker_that_its_parent_has_left_ends_without_a_word(monkeypatch):
    codes = []
    monkeypatch.setattr(os, "_exit", codes.append)
    ours, theirs = multiprocessing.Pipe()
    ours.close()
    worker_module._tell(theirs, "the epoch's loss")
    assert codes == [0]
