"""A worker whose GPU is full hands back what is left of its task, and does what it can."""

import pytest
import torch

from dlexp.engine.event import TrialEnd
from dlexp.execution import executor
from dlexp.execution.assignment import ExecutorEvent, Group, Survey
from dlexp.execution.fusion import SOLO
from dlexp.execution.parcel.neighbour import Neighbour
from dlexp.launcher.worker import NoRoom
from tests.execution.test_dispatcher import assign, holder

__all__ = ["holder"]  # a fixture
FULL = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 MiB. GPU 0 has a total capacity of 1.00 GiB")
WHY = "out of memory; choose a smaller trainer.batch_size or trainer.eval_batch_size"


def never() -> bool:
    return False


@pytest.fixture
def full(monkeypatch):
    """A GPU that has no memory for the second trial of a group, and for a survey."""
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)

    def train_group(group, *_args):
        yield group.assignments[0], TrialEnd(0, "interrupted", "", 0), None
        raise FULL

    monkeypatch.setattr(executor.groups, "train_group", train_group)
    monkeypatch.setattr(executor, "choose", lambda *_args: (_ for _ in ()).throw(FULL))

    def told(self, assignment, event, _program, _pause):
        return ExecutorEvent(assignment.path, event, 1)

    monkeypatch.setattr(executor.Executor, "_told", told)


def test_what_is_left_of_a_group_is_handed_back(full, holder):
    assigned = assign(holder, 3, "trainer.fuse=off")
    ended, back = Neighbour()(Group(assigned, SOLO, 1), never)
    assert ended.path == assigned[0].path
    assert isinstance(back, NoRoom)
    assert ([each.path for each in back.task.assignments], back.why) == ([each.path for each in assigned[1:]], WHY)
    assert f"{WHY} (" in (assigned[1].path / "log.txt").read_text()


def test_a_survey_is_handed_back(full, holder):
    survey = Survey(assign(holder, 2), 1, None, None)
    assert list(Neighbour()(survey, never)) == [NoRoom(survey, WHY)]


def test_without_another_gpu_the_trial_has_failed(full, holder, monkeypatch):
    assigned = assign(holder, 1, "trainer.fuse=off")
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: False)  # on a CPU all workers have the same memory
    (_, end) = Neighbour()(Group(assigned, SOLO, 1), never)
    assert (end.event.status, end.event.reason) == ("failed", WHY)
