"""Trials that are given out one by one, whenever a worker is free."""

import pytest

from dlexp.execution import executor
from dlexp.execution.dispatcher import Dispatcher
from dlexp.launcher.local import Local
from tests.execution.test_dispatcher import Away, assign, ends, fake, holder

__all__ = ["fake", "holder"]  # fixtures


def feeding(assignments):
    left = list(assignments)
    return lambda: left.pop(0) if left else None


@pytest.mark.parametrize("workers", [1, 2])
def test_what_is_fed_trains_one_by_one_and_what_a_worker_was_lost_over_once_more(holder, fake, workers):
    fake.lives = 1
    first, *others = assign(holder, 4, "trainer.fuse=4")
    begun, heard = [], []
    with Dispatcher(holder, lambda: False, Local(workers=workers)) as dispatcher:
        for event in dispatcher.feed([first], feeding(others), begin=lambda each: begun.append(each.path)):
            heard.append(event)
    assert [end.status for end in ends(heard).values()] == ["finished"] * 4
    assert set(begun) == {a.path for a in (first, *others)}
    assert begun[0] == first.path
    assert dispatcher.programs == [{"size": 1, "engine": "solo"}] * 4


def test_no_more_is_drawn_than_there_are_places(holder, fake, monkeypatch):
    """A pool may take all that there is before any of it ends: what is drawn then would be drawn from nothing."""
    most = []

    def run(self, take, should_stop, may_begin=None):
        while tasks := list(iter(take, None)):
            most.append(len(tasks))
            for task in tasks:
                yield from executor.Executor()(task, should_stop)

    monkeypatch.setattr(fake, "run", run)
    assignments = assign(holder, 4, "trainer.epochs=1")
    with Dispatcher(holder, lambda: False, Away()) as dispatcher:
        list(dispatcher.feed([], feeding(assignments)))
    assert most == [2, 2]
