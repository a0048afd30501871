"""A group's trials write their own folders, whatever the engine, and go on from where each was."""

import json

import pytest
import torch
from safetensors.torch import load_file

from dlexp.build.components import Components
from dlexp.build.dataset import load_data
from dlexp.config.resolve import resolve
from dlexp.engine.event import EpochEnd, TrialEnd
from dlexp.execution.assignment import Assignment, Group
from dlexp.execution.fusion import Choice
from dlexp.execution.group import train_group
from dlexp.run.folder import RunFolder

COMMON = ["tracking=none", "trainer.threads=1", "trainer.epochs=4", "data.limit=150", "optimizer=adam"]


def assignments(runs_dir, trials: int = 4, *overrides: str) -> list[Assignment]:
    made, data = [], None
    for trial in range(trials):
        config = resolve([*COMMON, f"seed={trial}", *overrides]).config
        data = data or load_data(config)
        manifest = {"kind": "trial", "seed": trial}
        folder = RunFolder.create(runs_dir, "group", f"t{trial}", config=config, overrides=[], manifest=manifest)
        made.append(Assignment(config, folder.path, "trial", built=Components(config, data)))
    return made


def weights(assignment: Assignment) -> dict[str, torch.Tensor]:
    return load_file(assignment.folder.checkpoints / "last" / "weights.safetensors")


def drain(group: Group, should_stop=lambda: False) -> dict[int, str]:
    ends = {}
    for assignment, event, _ in train_group(group, should_stop):
        if isinstance(event, TrialEnd):
            ends[group.assignments.index(assignment)] = event.status
    return ends


FOLDED = Choice("batched", 4, 1.0, "")


def test_each_trial_has_history_and_checkpoints_of_its_own(tmp_path):
    group = Group(assignments(tmp_path), FOLDED, 1)
    assert drain(group) == dict.fromkeys(range(4), "finished")
    for assignment in group.assignments:
        assert [record["epoch"] for record in assignment.folder.history()] == [1, 2, 3, 4]
        assert (assignment.folder.checkpoints / "best" / "weights.safetensors").exists()
    assert not torch.equal(
        weights(group.assignments[0])["output.weight"], weights(group.assignments[1])["output.weight"]
    )


def test_interrupted_between_and_inside_epochs_and_taken_up_gives_the_same_bits(tmp_path):
    whole = Group(assignments(tmp_path / "whole"), FOLDED, 1)
    drain(whole)
    stopped = Group(assignments(tmp_path / "stopped"), FOLDED, 1)
    for limit in (3, 7, 8):
        questions = iter(range(10**6))
        ends = drain(stopped, lambda questions=questions, limit=limit: next(questions) >= limit)
        assert set(ends.values()) <= {"interrupted"}
    assert drain(stopped) == dict.fromkeys(range(4), "finished")
    for a, b in zip(whole.assignments, stopped.assignments, strict=True):
        assert all(torch.equal(value, weights(b)[name]) for name, value in weights(a).items())
        history = [
            [{k: v for k, v in r.items() if k not in ("seconds", "time")} for r in m.folder.history()] for m in (a, b)
        ]
        assert json.dumps(history[0]) == json.dumps(history[1])


def test_trials_left_at_different_epochs_reach_the_same_end(tmp_path):
    whole = Group(assignments(tmp_path / "whole"), FOLDED, 1)
    drain(whole)
    killed = Group(assignments(tmp_path / "killed"), FOLDED, 1)
    for _, event, _ in train_group(Group(killed.assignments[:2], FOLDED, 1)):
        if isinstance(event, EpochEnd):
            break
    assert [len(assignment.folder.history()) for assignment in killed.assignments] == [1, 1, 0, 0]
    drain(killed)
    for a, b in zip(whole.assignments, killed.assignments, strict=True):
        assert all(torch.equal(value, weights(b)[name]) for name, value in weights(a).items())


def test_out_of_memory_halves_the_program_down_to_trials_alone(tmp_path, monkeypatch):
    import dlexp.execution.group as module

    sizes = []
    make_program = module.make_program

    def scarce(components, engine):
        sizes.append(len(components))
        if len(components) > 1:
            raise torch.OutOfMemoryError("no memory for so many")
        return make_program(components, engine)

    monkeypatch.setattr(module, "make_program", scarce)
    group = Group(assignments(tmp_path), FOLDED, 1)
    assert drain(group) == dict.fromkeys(range(4), "finished")
    assert sizes == [4, 2, 1, 1, 1, 1], "what did not fit once is not tried again"


def test_other_failures_are_not_swallowed(tmp_path, monkeypatch):
    import dlexp.execution.group as module

    def broken(*_):
        raise RuntimeError("broken")

    monkeypatch.setattr(module, "make_program", broken)
    with pytest.raises(RuntimeError, match="broken"):
        drain(Group(assignments(tmp_path), FOLDED, 1))
