"""Who trains what where: parts and programs, the choice of processes, and that it changes no number."""

from dataclasses import replace
from typing import ClassVar

import pytest

from dlexp.build.components import Components
from dlexp.build.dataset import load_data
from dlexp.config.resolve import resolve
from dlexp.engine.event import TrialEnd
from dlexp.error import DlexpError
from dlexp.execution import dispatcher as module
from dlexp.execution import executor
from dlexp.execution.assignment import Assignment, ExecutorEvent, Group
from dlexp.execution.dispatcher import Dispatcher
from dlexp.execution.fusion import SOLO, Choice
from dlexp.launcher.local import Local
from dlexp.launcher.pool import Cause, Lost
from dlexp.run.folder import RunFolder
from dlexp.run.lock import last_attempt

COMMON = ["tracking=none", "trainer.threads=1", "trainer.epochs=2", "data.limit=150", "model.widths=[8]"]


@pytest.fixture
def holder(tmp_path):
    folder = RunFolder.create(tmp_path, "dispatcher", "holder", config={}, overrides=[], manifest={"kind": "sweep"})
    yield folder
    folder.unlock()


def assign(holder: RunFolder, number: int, *overrides: str, until: int | None = None) -> list[Assignment]:
    made = []
    written = {text.partition("=")[0] for text in overrides}
    common = [text for text in COMMON if text.partition("=")[0] not in written]
    for seed in range(number):
        config = resolve([*common, f"seed={seed}", *overrides]).config
        data = load_data(config)
        about = {"monitor": {"metric": "val/accuracy", "mode": "max"}, "kind": "trial"}
        manifest = {**about, "data": {"name": data.name, "fingerprint": data.fingerprint}}
        folder = RunFolder.create(holder.path, "trials", "t", config=config, overrides=[], manifest=manifest)
        folder.unlock()
        made.append(Assignment(config, folder.path, "trial", until))
    return made


def ends(heard) -> dict:
    told = [event for event in heard if isinstance(event, ExecutorEvent)]
    return {event.path: event.event for event in told if isinstance(event.event, TrialEnd)}


def test_those_of_equal_structure_train_together_in_any_folder(holder, tmp_path):
    other = RunFolder.create(tmp_path, "crew", "other", config={}, overrides=[], manifest={"kind": "sweep"})
    wide = assign(other, 2, "trainer.fuse=3", "model.widths=[16]")
    small = [*assign(holder, 2, "trainer.fuse=3"), *assign(other, 2, "trainer.fuse=3")]
    with Dispatcher(holder, lambda: False, Local(workers=1)) as dispatcher:
        events = ends(dispatcher.train([small[0], wide[0], *small[1:], wide[1]]))
    assert {end.status for end in events.values()} == {"finished"}
    assert set(events) == {assignment.path for assignment in (*small, *wide)}
    assert dispatcher.programs == [{"size": size, "engine": "fused"} for size in (3, 1, 2)]
    other.unlock()


def test_those_that_pause_elsewhere_train_apart(holder):
    early, late = assign(holder, 2, "trainer.fuse=4", until=1), assign(holder, 2, "trainer.fuse=4")
    with Dispatcher(holder, lambda: False, Local(workers=1)) as dispatcher:
        events = ends(dispatcher.train([*early, *late]))
    assert [events[a.path].status for a in (*early, *late)] == ["stopped_early"] * 2 + ["finished"] * 2
    assert [len(RunFolder(a.path).history()) for a in (*early, *late)] == [1, 1, 2, 2]


def test_what_fails_together_is_tried_alone_and_what_fails_alone_is_recorded(holder, monkeypatch):
    from dlexp.execution import group

    train_group = group.train_group

    def fail(task, should_stop, limits):
        if len(task.assignments) > 1 or task.assignments[0].config["seed"] == 1:
            raise RuntimeError("made to fail\nand more")
        return train_group(task, should_stop, limits)

    monkeypatch.setattr(group, "train_group", fail)
    assignments = assign(holder, 3, "trainer.fuse=3")
    with Dispatcher(holder, lambda: False, Local(workers=1)) as dispatcher:
        events = ends(dispatcher.train(assignments))
    assert [events[a.path].status for a in assignments] == ["finished", "failed", "finished"]
    assert RunFolder(assignments[1].path).manifest["reason"] == "RuntimeError: made to fail"


@pytest.mark.parametrize("error", [RuntimeError("no engine\nand more"), KeyError("size")], ids=["runtime", "key"])
def test_an_engine_that_cannot_be_chosen_is_logged_with_the_reason_and_each_trains_alone(holder, monkeypatch, error):
    def refuse(*_):
        raise error

    monkeypatch.setattr(executor, "choose", refuse)
    assignments = assign(holder, 2)
    with Dispatcher(holder, lambda: False, Local(workers=1)) as dispatcher:
        outcome = ends(dispatcher.train(assignments))
    assert {end.status for end in outcome.values()} == {"finished"}
    assert dispatcher.programs == [{"size": 1, "engine": "solo"}] * 2
    (line,) = (holder.path / "log.txt").read_text().splitlines()
    reason = {"RuntimeError": "RuntimeError: no engine", "KeyError": "KeyError: 'size'"}[type(error).__name__]
    who = f"{assignments[0].path.name} and 1 more"
    assert line.endswith(f"no engine could be chosen for {who}: {reason}; each trains alone")


def test_why_trials_are_not_stacked_stands_in_the_log(holder, monkeypatch):
    choice = Choice("solo", 1, 1.0, "the model cannot be stacked: vmapped: RuntimeError: it branches")
    monkeypatch.setattr(executor, "choose", lambda *_: choice)
    assignments = assign(holder, 2)
    with Dispatcher(holder, lambda: False, Local(workers=1)) as dispatcher:
        ends(dispatcher.train(assignments))
    (line,) = (holder.path / "log.txt").read_text().splitlines()
    assert line.endswith(f"{assignments[0].path.name} and 1 more: each trains alone, because {choice.reason}")


@pytest.mark.parametrize(("stored", "expected"), [({}, 3), ({"threads": 2}, 2)], ids=["new", "gone on with"])
def test_threads_are_those_of_the_holder_whoever_trained_before(holder, monkeypatch, stored, expected):
    """A small dense model takes one by itself; a convolution that comes after it has torch's choice, or the stored."""
    monkeypatch.setattr("dlexp.device.TORCH_THREADS", 3)
    holder.update_manifest(**stored)
    dense = assign(holder, 1, "trainer.threads=null")
    (convolution,) = assign(holder, 1, "trainer.threads=null", "model=cnn", "model.widths=[2]", "trainer.epochs=1")
    with Dispatcher(holder, lambda: False, Local(workers=1)) as dispatcher:
        assert {end.status for end in ends(dispatcher.train([*dense, convolution])).values()} == {"finished"}
    threads = [RunFolder(assignment.path).manifest["threads"] for assignment in (*dense, convolution)]
    assert threads == [1, expected]


def test_changed_data_are_not_trained_on(holder):
    (assignment,) = assign(holder, 1)
    RunFolder(assignment.path).update_manifest(data={"name": "digits", "fingerprint": "other"})
    with Dispatcher(holder, lambda: False, Local(workers=1)) as dispatcher:
        (told,) = dispatcher.train([assignment])
    end = told.event
    assert isinstance(end, TrialEnd)
    assert (end.status, end.reason.partition(":")[0]) == ("failed", "digits"), "the data set is named"


class FakePool:
    """Takes tasks, and loses those of seed 1 as often as `lives` says."""

    made: ClassVar[list["FakePool"]] = []
    lives: ClassVar[int] = 0
    cause: ClassVar[Cause] = "crash"

    def __init__(self, crew):
        self.places, self.tasks = crew.places, []
        self.made.append(self)

    def adopt(self, choose):
        pass

    def run(self, take, should_stop, may_begin=None):
        from dlexp.execution.executor import Executor

        while self.places and (task := take()) is not None:
            self.tasks.append(task)
            assignment = task.assignments[0]
            if assignment.config["seed"] == 1 and self.lives > 0:
                type(self).lives -= 1
                self.places = self.places[1:] if self.cause == "device" else self.places
                yield Lost(task, "worker process 7 was ended by signal 9 (SIGKILL)", self.cause)
            else:
                yield from Executor()(task, should_stop)

    def close(self):
        pass


@pytest.fixture
def fake(monkeypatch):
    FakePool.made, FakePool.lives, FakePool.cause = [], 0, "crash"
    monkeypatch.setattr(Local, "pool", lambda _self, crew, _threads: FakePool(crew))
    return FakePool


@pytest.mark.parametrize(("lives", "status"), [(0, "finished"), (1, "finished"), (2, "failed")])
def test_what_a_worker_was_lost_over_is_trained_once_more(holder, fake, lives, status):
    fake.lives = lives
    assignments = assign(holder, 4, "trainer.fuse=off")
    with Dispatcher(holder, lambda: False, Local(workers=2)) as dispatcher:
        events = ends(dispatcher.train(assignments))
    assert [events[a.path].status for a in assignments] == ["finished", status, "finished", "finished"]
    if status == "failed":
        reason = "worker process 7 was ended by signal 9 (SIGKILL)"
        assert RunFolder(assignments[1].path).manifest["reason"] == f"{reason}; then {reason}"


def test_stacks_are_spread_over_workers_and_lost_ones_are_tried_apart_in_the_same_engine(holder, fake):
    fake.lives = 0
    assignments = assign(holder, 5, "trainer.fuse=8")
    with Dispatcher(holder, lambda: False, Local(workers=2)) as dispatcher:
        assert {end.status for end in ends(dispatcher.train(assignments)).values()} == {"finished"}
        assert [len(task.assignments) for task in fake.made[0].tasks] == [3, 2]
        lost_program = fake.made[0].tasks[0]
        assert [(len(p.assignments), p.choice.engine) for p in lost_program.apart(lost_program.choice)] == [
            (1, "batched")
        ] * 3


class Cards(Local):
    """A machine with four cards."""

    def places(self, device: str, threads: int) -> list[dict[str, str]]:
        return [{"CARD": str(number)} for number in range(4)]


def test_on_cards_even_one_trial_trains_in_a_worker_which_chooses_how(holder, fake):
    with Dispatcher(holder, lambda: False, Cards()) as dispatcher:
        (end,) = ends(dispatcher.train(assign(holder, 1, "trainer.fuse=4"))).values()
    assert end.status == "finished"
    assert [type(task).__name__ for task in fake.made[0].tasks] == ["Survey", "Group"]


@pytest.mark.parametrize(("lives", "status"), [(3, "finished"), (4, "failed")])
def test_a_broken_card_is_no_fault_of_the_trial_while_another_is_left(holder, fake, lives, status):
    fake.lives, fake.cause = lives, "device"
    assignments = assign(holder, 3, "trainer.fuse=off")
    assignments = [assignments[0], assignments[2], assignments[1]]  # the one that breaks cards is the last
    with Dispatcher(holder, lambda: False, Cards()) as dispatcher:
        events = ends(dispatcher.train(assignments))
    assert [events[a.path].status for a in assignments] == ["finished", "finished", status]


class Away(Local):
    """Workers on other machines."""

    @property
    def is_distant(self) -> bool:
        return True

    def places(self, device: str, threads: int) -> list[dict[str, str]]:
        return [{}, {}]


@pytest.mark.parametrize(("lives", "status"), [(3, "finished"), (4, "failed")])
def test_a_machine_that_goes_is_no_fault_of_the_trial_three_times(holder, fake, lives, status):
    fake.lives, fake.cause = lives, "place"
    assignments = assign(holder, 3, "trainer.fuse=off")
    with Dispatcher(holder, lambda: False, Away()) as dispatcher:
        events = ends(dispatcher.train(assignments))
    assert [events[a.path].status for a in assignments] == ["finished", status, "finished"]
    assert [last_attempt(a.path) for a in assignments] == [1, min(lives, 3) + 1, 1]


def test_a_worker_that_was_given_up_writes_no_more(holder):
    (assignment,) = assign(holder, 1, "trainer.epochs=3")
    built = Components(assignment.config, load_data(assignment.config))
    old = replace(assignment, built=built).anew()
    events = executor.Executor()(Group([old], SOLO, 1), lambda: False)
    while not isinstance(next(events), ExecutorEvent):
        pass
    later = assignment.anew()
    before = {path: path.read_bytes() for path in assignment.path.rglob("*") if path.is_file()}
    assert list(events) == [], "nothing is told of a trial that is another worker's"
    assert {path: path.read_bytes() for path in assignment.path.rglob("*") if path.is_file()} == before
    told = ends(executor.Executor()(Group([later], SOLO, 1), lambda: False))
    assert told[assignment.path].status == "finished"
    assert len(assignment.folder.history()) == 3


def seconds_of(monkeypatch, value: float) -> None:
    monkeypatch.setattr(module, "seconds", lambda _structures: value)
    monkeypatch.setattr(executor, "choose", lambda *_: Choice("solo", 1, 1.0, ""))
    monkeypatch.setattr("dlexp.launcher.local.num_cores", lambda: 4)


def test_workers_are_started_once_the_work_pays_for_them(holder, fake, monkeypatch):
    seconds_of(monkeypatch, 0.6 * module.WORTH_SECONDS)
    with Dispatcher(holder, lambda: False, Local()) as dispatcher:
        list(dispatcher.train(assign(holder, 2)))
        assert fake.made == []
        list(dispatcher.train(assign(holder, 2)))  # with the round before it is long enough
        list(dispatcher.train(assign(holder, 1)))  # one trial keeps one process busy
    (pool,) = fake.made
    assert len(pool.places) == 4
    assert len(pool.tasks) == 2


def test_threads_that_a_trial_has_are_not_shared_out(holder, fake, monkeypatch):
    seconds_of(monkeypatch, 2 * module.WORTH_SECONDS)
    with Dispatcher(holder, lambda: False, Local()) as dispatcher:
        list(dispatcher.train(assign(holder, 2, "trainer.threads=2")))
        assert len(fake.made[0].places) == 2
    with Dispatcher(holder, lambda: False, Local()) as dispatcher:
        list(dispatcher.train(assign(holder, 2, "trainer.threads=4")))
    assert len(fake.made) == 1


def test_what_cannot_be_timed_trains_here_and_says_why(holder, fake, monkeypatch):
    def refuse(*_):
        raise DlexpError("no")

    monkeypatch.setattr(module, "seconds", refuse)
    with Dispatcher(holder, lambda: False, Local()) as dispatcher:
        events = ends(dispatcher.train(assign(holder, 2, "norm=group", "norm.num_groups=3")))
    assert {end.status for end in events.values()} == {"failed"}
    assert "3" in next(iter(events.values())).reason
