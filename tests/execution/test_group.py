"""A group's trials write their own folders, whatever the engine, and go on from where each was."""

import json

import pytest
import torch
from safetensors.torch import load_file

from dlexp.build.dataset import load_data
from dlexp.config.resolve import resolve
from dlexp.engine.event import EpochEnd, TrialEnd
from dlexp.execution.fusion import Choice
from dlexp.execution.group import Group, Member, train_group
from dlexp.run.folder import RunFolder

COMMON = ["tracking=none", "trainer.threads=1", "trainer.epochs=4", "data.limit=150", "optimizer=adam"]


def members(runs_dir, trials: int = 4, *overrides: str) -> list[Member]:
    made, data = [], None
    for trial in range(trials):
        config = resolve([*COMMON, f"seed={trial}", *overrides]).config
        data = data or load_data(config)
        manifest = {"seed": trial}
        folder = RunFolder.create(runs_dir, "group", f"t{trial}", config=config, overrides=[], manifest=manifest)
        made.append(Member(config, data, folder))
    return made


def weights(member: Member) -> dict[str, torch.Tensor]:
    return load_file(member.folder.checkpoints / "last" / "weights.safetensors")


def drain(group: Group, should_stop=lambda: False) -> dict[int, str]:
    ends = {}
    for told in train_group(group, should_stop):
        if isinstance(told.event, TrialEnd):
            ends[group.members.index(told.member)] = told.event.status
    return ends


FOLDED = Choice("batched", 4, 1.0, "")


def test_each_trial_has_history_and_checkpoints_of_its_own(tmp_path):
    group = Group(members(tmp_path), FOLDED)
    assert drain(group) == dict.fromkeys(range(4), "finished")
    for member in group.members:
        assert [record["epoch"] for record in member.folder.history()] == [1, 2, 3, 4]
        assert (member.folder.checkpoints / "best" / "weights.safetensors").exists()
    assert not torch.equal(weights(group.members[0])["output.weight"], weights(group.members[1])["output.weight"])


def test_interrupted_between_and_inside_epochs_and_taken_up_gives_the_same_bits(tmp_path):
    whole = Group(members(tmp_path / "whole"), FOLDED)
    drain(whole)
    stopped = Group(members(tmp_path / "stopped"), FOLDED)
    for limit in (3, 7, 8):
        questions = iter(range(10**6))
        ends = drain(stopped, lambda questions=questions, limit=limit: next(questions) >= limit)
        assert set(ends.values()) <= {"interrupted"}
    assert drain(stopped) == dict.fromkeys(range(4), "finished")
    for a, b in zip(whole.members, stopped.members, strict=True):
        assert all(torch.equal(value, weights(b)[name]) for name, value in weights(a).items())
        history = [
            [{k: v for k, v in r.items() if k not in ("seconds", "time")} for r in m.folder.history()] for m in (a, b)
        ]
        assert json.dumps(history[0]) == json.dumps(history[1])


def test_trials_left_at_different_epochs_reach_the_same_end(tmp_path):
    whole = Group(members(tmp_path / "whole"), FOLDED)
    drain(whole)
    killed = Group(members(tmp_path / "killed"), FOLDED)
    for told in train_group(Group(killed.members[:2], FOLDED)):
        if isinstance(told.event, EpochEnd):
            break
    assert [len(member.folder.history()) for member in killed.members] == [1, 1, 0, 0]
    drain(killed)
    for a, b in zip(whole.members, killed.members, strict=True):
        assert all(torch.equal(value, weights(b)[name]) for name, value in weights(a).items())


def test_out_of_memory_halves_the_program_down_to_trials_alone(tmp_path, monkeypatch):
    import dlexp.execution.group as module

    sizes = []
    assemble_group = module.assemble_group

    def scarce(configs, datasets, engine):
        sizes.append(len(configs))
        if len(configs) > 1:
            raise torch.OutOfMemoryError("no memory for so many")
        return assemble_group(configs, datasets, engine)

    monkeypatch.setattr(module, "assemble_group", scarce)
    group = Group(members(tmp_path), FOLDED)
    assert drain(group) == dict.fromkeys(range(4), "finished")
    assert sizes == [4, 2, 1, 1, 2, 1, 1]


def test_other_failures_are_not_swallowed(tmp_path, monkeypatch):
    import dlexp.execution.group as module

    def broken(*_):
        raise RuntimeError("broken")

    monkeypatch.setattr(module, "assemble_group", broken)
    with pytest.raises(RuntimeError, match="broken"):
        drain(Group(members(tmp_path), FOLDED))
