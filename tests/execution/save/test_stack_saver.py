"""A stack's epochs are saved as one checkpoint; each trial's own are what they would be had it trained alone."""

import json
import os
import shutil
import signal

import pytest
import torch

from dlexp.build.components import Components
from dlexp.build.dataset import load_data
from dlexp.build.program import make_program
from dlexp.config.resolve import resolve
from dlexp.engine import checkpoint
from dlexp.engine.event import EpochEnd, TrialEnd
from dlexp.error import RunError
from dlexp.execution.assignment import Assignment, Group
from dlexp.execution.fusion import Choice
from dlexp.execution.group import train_group
from dlexp.execution.integrity import STACK_POINTER, is_intact
from dlexp.execution.save import stack_saver
from dlexp.execution.save.saver import Saver
from dlexp.execution.save.stack_saver import StackSaver, make_saver, recover
from dlexp.run import history
from dlexp.run.folder import METRICS, RunFolder

COMMON = ["tracking=none", "trainer.threads=1", "trainer.epochs=4", "data.limit=150", "optimizer=adam"]
FOLDED = Choice("batched", 3, 1.0, "")
MONITOR = {"metric": "val/accuracy", "mode": "max"}


def assignments(holder, *overrides):
    data, made = None, []
    for seed in range(3):
        config = resolve([*COMMON, *overrides, f"seed={seed}"]).config
        data = data or load_data(config)
        manifest = {"kind": "trial", "seed": seed, "monitor": MONITOR}
        folder = RunFolder.create(holder, "trials", f"t{seed}", config=config, overrides=[], manifest=manifest)
        folder.unlock()
        made.append(Assignment(config, folder.path, "trial", built=Components(config, data)))
    return made


def contents(folder):
    """Return what both checkpoints hold, but for the seconds that training took."""
    files = {}
    for name in ("last", "best"):
        weights, state = checkpoint.load(folder.checkpoints / name)
        state.pop("elapsed", None)
        files[name] = weights, state
    return files


def assert_equal(a, b):
    if isinstance(a, torch.Tensor):
        assert a.dtype == b.dtype
        assert torch.equal(a, b)
    elif isinstance(a, dict):
        assert a.keys() == b.keys()
        for name in a:
            assert_equal(a[name], b[name])
    elif isinstance(a, list | tuple):
        assert len(a) == len(b)
        for left, right in zip(a, b, strict=True):
            assert_equal(left, right)
    else:
        assert a == b


def drain(group, should_stop=lambda: False):
    return [event for _, event, _ in train_group(group, should_stop) if isinstance(event, TrialEnd)]


@pytest.mark.parametrize(
    "overrides",
    [(), ("trainer.ema=0.5",), ("schedule=plateau",), ("trainer.patience=1",)],
    ids=["plain", "ema", "plateau", "some stop early"],
)
def test_own_checkpoints_are_the_same_to_the_bit(tmp_path, monkeypatch, overrides):
    shared = Group(assignments(tmp_path / "together", *overrides), FOLDED, 1)
    drain(shared)
    monkeypatch.setattr(stack_saver, "LARGEST", 0)
    apart = Group(assignments(tmp_path / "apart", *overrides), FOLDED, 1)
    drain(apart)
    for shared_assignment, other in zip(shared.assignments, apart.assignments, strict=True):
        assert_equal(contents(shared_assignment.folder), contents(other.folder))
        assert not (shared_assignment.folder.path / STACK_POINTER).exists()
    assert not list((tmp_path / "together" / "programs").iterdir())
    assert not (tmp_path / "apart" / "programs").exists()


def train_and_die(group, moment):
    """Train in a child that is killed, after an epoch was told or in the midst of the next."""
    pid = os.fork()
    if pid == 0:

        def die_when_it_comes() -> bool:
            if moment():
                os.kill(os.getpid(), signal.SIGKILL)
            return False

        try:
            for _, event, _ in train_group(group, die_when_it_comes):
                if isinstance(event, EpochEnd):
                    moment.epoch = event.epoch
        finally:  # an error must not go on with the other tests in this child
            os._exit(1)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL


class After:
    """The moment when the first update after some epochs was done."""

    def __init__(self, epochs):
        self.epochs, self.epoch = epochs, 0

    def __call__(self):
        return self.epoch == self.epochs


@pytest.mark.parametrize("epochs", [0, 1, 3])
def test_a_killed_program_goes_on_where_it_was(tmp_path, epochs):
    whole = Group(assignments(tmp_path / "whole"), FOLDED, 1)
    drain(whole)
    killed = Group(assignments(tmp_path / "killed"), FOLDED, 1)
    train_and_die(killed, After(epochs))
    for assignment in killed.assignments:
        assert is_intact(assignment.folder)
        assert (assignment.folder.path / STACK_POINTER).exists()
        recover(assignment.folder)
        assert (assignment.folder.saved_epoch() or 0) == len(assignment.folder.history()) == epochs
        assert is_intact(assignment.folder)
    assert not list((tmp_path / "killed").glob("programs/*"))
    drain(killed)
    for whole_assignment, other in zip(whole.assignments, killed.assignments, strict=True):
        assert_equal(contents(whole_assignment.folder), contents(other.folder))


def test_shares_are_settled_one_by_one_and_again(tmp_path):
    killed = Group(assignments(tmp_path / "killed"), FOLDED, 1)
    train_and_die(killed, After(2))
    first, second, third = (assignment.folder for assignment in killed.assignments)
    recover(first)
    recover(first)
    assert list((tmp_path / "killed").glob("programs/*"))
    drain(Group([killed.assignments[0]], FOLDED, 1))  # goes on by itself; the others' share stays
    shutil.rmtree(third.path)  # a user deleted it
    recover(second)
    assert (first.saved_epoch(), second.saved_epoch()) == (4, 2)
    assert not list((tmp_path / "killed").glob("programs/*"))


@pytest.mark.parametrize("name", ["programs", "together.json", "metrics.jsonl"])
def test_what_a_power_cut_damaged_begins_anew(tmp_path, name):
    killed = Group(assignments(tmp_path / "killed"), FOLDED, 1)
    train_and_die(killed, After(2))
    folder = killed.assignments[0].folder
    if name == "programs":
        (weights,) = (tmp_path / "killed").glob("programs/*/weights.safetensors")
        weights.write_bytes(b"")
    else:
        (folder.path / name).write_bytes(b"")
    recover(folder)
    assert folder.saved_epoch() is None
    assert not (folder.path / STACK_POINTER).exists()


def test_a_failing_program_leaves_each_trial_its_own(tmp_path):
    group = Group(assignments(tmp_path / "failing"), FOLDED, 1)

    def fail_after_two_epochs():
        if len(group.assignments[0].folder.history()) == 2:
            raise RuntimeError("broken")
        return False

    with pytest.raises(RuntimeError, match="broken"):
        drain(group, fail_after_two_epochs)
    assert [assignment.folder.saved_epoch() for assignment in group.assignments] == [2, 2, 2]
    assert not list((tmp_path / "failing").glob("programs/*"))


def test_only_small_stacks_are_saved_together(tmp_path, monkeypatch):
    made = assignments(tmp_path)
    folders = [assignment.folder for assignment in made]
    run = make_program([each.components for each in made], "batched").run
    assert isinstance(make_saver(run, folders), StackSaver)
    assert type(make_saver(run, folders[:1])) is Saver
    monkeypatch.setattr(stack_saver, "LARGEST", 100)
    assert type(make_saver(run, folders)) is Saver


def test_a_stack_waits_for_few_files(tmp_path, monkeypatch):
    written = []
    save = checkpoint.save
    monkeypatch.setattr(checkpoint, "save", lambda *a, **k: (written.append(a[0].parent.name), save(*a, **k)))
    drain(Group(assignments(tmp_path / "few"), FOLDED, 1))
    assert written.count("programs") == 4  # one an epoch
    assert written.count("checkpoints") == 6  # two for each trial, at its end
    names = json.dumps([path.name for path in (tmp_path / "few" / "trials").glob("*/*")])
    assert STACK_POINTER not in names


@pytest.mark.parametrize("ends", ["recovered", "finished"])
def test_the_checkpoints_of_a_stack_are_sealed_like_those_of_one(tmp_path, ends):
    group = Group(assignments(tmp_path / "stack"), FOLDED, 1)
    if ends == "finished":
        drain(group)
    else:
        train_and_die(group, After(2))
    folders = [assignment.folder for assignment in group.assignments]
    for folder in folders:
        recover(folder)
        epoch = folder.saved_epoch() or 0
        assert history.seal(folder.checkpoints, epoch) == history.digest(folder.path / METRICS, epoch)
    folder, epoch = folders[0], folders[0].saved_epoch() or 0
    lines = (folder.path / METRICS).read_text().replace("0.", "0.9", 1)
    (folder.path / METRICS).write_text(lines)
    with pytest.raises(RunError, match=r"metrics\.jsonl: damaged"):
        folder.truncate_history(epoch)
    assert ends == "finished" or not is_intact(folder)
