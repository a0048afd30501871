"""One program carried out: pauses and goes on, fails and says why, keeps the data that it has loaded."""

import pickle
import shutil

import pytest

from dlexp.build.dataset import load_data
from dlexp.config.resolve import resolve
from dlexp.engine.event import EpochEnd, TrialEnd
from dlexp.execution.assignment import Assignment, Begun, ExecutorEvent, Group, Halt
from dlexp.execution.executor import Executor, explain, fail
from dlexp.execution.fusion import SOLO
from dlexp.run.folder import RunFolder


@pytest.fixture
def make(tmp_path):
    def make(*overrides: str, epochs: int = 2, until: int | None = None) -> Assignment:
        config = resolve(
            ["tracking=none", "trainer.threads=1", f"trainer.epochs={epochs}", "data.limit=60", *overrides]
        ).config
        data = load_data(config)
        manifest = {"kind": "trial", "monitor": {"metric": "val/accuracy", "mode": "max"}}
        manifest["data"] = {"name": data.name, "fingerprint": data.fingerprint}
        folder = RunFolder.create(tmp_path, "trials", "t", config=config, overrides=[], manifest=manifest)
        folder.unlock()
        return Assignment(config, folder.path, "trial", until)

    return make


def carry_out(assignment: Assignment, executor: Executor | None = None) -> list:
    return list((executor or Executor())(Group([assignment], SOLO, 1), lambda: False))


def test_every_epoch_and_the_end_are_told_and_recorded(make):
    assignment = make()
    begun, *epochs, end = carry_out(assignment)
    assert begun == Begun(1, "solo")
    assert [event.event.epoch for event in epochs if isinstance(event.event, EpochEnd)] == [1, 2]
    assert (end.path, end.size, end.event.status, end.event.reason) == (assignment.path, 1, "finished", "")
    folder = RunFolder(assignment.path)
    assert folder.manifest["status"] == "finished"
    assert [record["epoch"] for record in folder.history()] == [1, 2]
    assert pickle.loads(pickle.dumps([begun, *epochs, end])) == [begun, *epochs, end]


FROZEN = ("model.widths=[8,8]", "freeze=[hidden*]")


@pytest.mark.parametrize("more", [(), FROZEN, (*FROZEN, "freeze.until=1"), (*FROZEN, "freeze.until=2")])
def test_a_trial_that_pauses_goes_on_to_the_same_numbers(make, more):
    paused = make(*more, epochs=3, until=1)
    *_, end = carry_out(paused)
    assert (end.event.status, end.event.reason) == ("stopped_early", "the search paused it at epoch 1")
    *_, again = carry_out(paused)
    assert again.event.status == "stopped_early", "it stands there already"
    later = Assignment(paused.config, paused.path, "trial")
    *_, end = carry_out(later)
    assert end.event.status == "finished"
    straight = make(*more, epochs=3)
    carry_out(straight)
    histories = [RunFolder(assignment.path).history() for assignment in (paused, straight)]
    for record in (*histories[0], *histories[1]):
        del record["seconds"], record["time"]
    assert histories[0] == histories[1]
    assert RunFolder(paused.path).manifest["resumes"] == 0, "a pause is no resume"


def test_a_failure_is_told_with_its_reason_and_recorded(make):
    (end,) = carry_out(make("norm=group", "norm.num_groups=3"))
    assert isinstance(end.event, TrialEnd)
    assert (end.event.status, "\n" in end.event.reason) == ("failed", False)
    assert RunFolder(end.path).manifest["reason"] == end.event.reason
    assert "failed: " in (end.path / "log.txt").read_text()


def test_a_trial_that_finds_no_room_waits_for_it_and_halts_all(make, monkeypatch):
    waiting, free = make(), shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: free._replace(free=100))
    (halt,) = carry_out(waiting)
    assert isinstance(halt, Halt)
    assert "2 checkpoints and the predictions take" in halt.message
    assert RunFolder(waiting.path).manifest["status"] == "running", "it has not failed"
    monkeypatch.undo()
    *_, end = carry_out(waiting)
    assert end.event.status == "finished"


def test_what_is_loaded_is_loaded_once(make):
    executor = Executor()
    first, second = make("seed=1"), make("seed=2")
    for assignment in (first, second):
        carry_out(assignment, executor)
    assert executor.datasets(first.config) is executor.datasets(second.config)


def test_an_assignment_that_failed_by_no_training_of_its_own(make):
    assignment = make()
    assert fail(assignment.path, "lost") == ExecutorEvent(assignment.path, TrialEnd(0, "failed", "lost", 0), 1)
    assert RunFolder(assignment.path).manifest["end"] is not None


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("a\nb"), "ValueError: a"),
        (KeyError(), "KeyError: no message"),
        (MemoryError(), "out of memory; choose a smaller trainer.batch_size or trainer.eval_batch_size"),
        (
            RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
            "out of memory; choose a smaller trainer.batch_size or trainer.eval_batch_size",
        ),
    ],
)
def test_errors_are_one_line(error, line):
    assert explain(error) == line
