import errno
import json
import logging
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from dlexp.engine import checkpoint
from dlexp.error import EnvironmentFault, RunError


def sample(epoch):
    flat = torch.arange(64, dtype=torch.float32).view(1, 64) + epoch
    weights = {
        "weight": flat[0, :48].view(6, 8),
        "bias": flat[0, 48:54],
        "half": torch.ones(3, dtype=torch.bfloat16),
        "count": torch.tensor(epoch),
        "image": torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last),
    }
    state = {"epoch": epoch, "moment": flat * 2, "rate": 0.1, "name": "sgd", "none": None, "parts": [1, {"a": 2.5}]}
    return weights, state


def test_what_was_saved_is_loaded_bit_for_bit(tmp_path):
    weights, state = sample(3)
    checkpoint.save(tmp_path / "last", weights, state)
    loaded, loaded_state = checkpoint.load(tmp_path / "last")
    assert loaded.keys() == weights.keys()
    for name, tensor in weights.items():
        assert loaded[name].dtype == tensor.dtype
        assert torch.equal(loaded[name], tensor)
    assert torch.equal(loaded_state.pop("moment"), state.pop("moment"))
    assert loaded_state == state
    assert sorted(path.name for path in tmp_path.iterdir()) == ["last"]
    assert json.loads((tmp_path / "last" / "manifest.json").read_text())["epoch"] == 3


def test_a_checkpoint_waits_for_the_disk_once_a_file_and_once_a_folder(tmp_path, monkeypatch):
    weights, state = sample(0)
    checkpoint.save(tmp_path / "last", weights, state)
    flushes: list[int] = []
    monkeypatch.setattr(os, "fsync", flushes.append)
    checkpoint.save(tmp_path / "last", weights, state)
    assert len(flushes) == 3 + 2
    checkpoint.save(tmp_path / "last", weights, state, is_synced=False)
    assert len(flushes) == 3 + 2


def test_two_checkpoints_of_the_same_weights_share_a_file(tmp_path):
    weights, state = sample(1)
    checkpoint.save(tmp_path / "best", weights, {"epoch": 1})
    checkpoint.save(tmp_path / "last", weights, state, same_weights=tmp_path / "best")
    assert (tmp_path / "last" / "weights.safetensors").stat().st_nlink == 2
    assert checkpoint.load(tmp_path / "last")[1]["moment"].equal(state["moment"])
    checkpoint.save(tmp_path / "last", *sample(2))
    assert checkpoint.load(tmp_path / "best")[0]["count"] == 1
    assert checkpoint.load(tmp_path / "last")[0]["count"] == 2


def test_the_same_weights_need_no_hard_links(tmp_path, monkeypatch):
    checkpoint.save(tmp_path / "best", *sample(1))

    def refuse(*_):
        raise OSError("no links on this disk")

    monkeypatch.setattr(os, "link", refuse)
    checkpoint.save(tmp_path / "last", *sample(1), same_weights=tmp_path / "best")
    assert checkpoint.load(tmp_path / "last")[0]["count"] == 1


def test_only_what_must_survive_a_power_cut_waits_for_the_disk(tmp_path, monkeypatch):
    flushed = []
    monkeypatch.setattr(os, "fsync", flushed.append)
    checkpoint.save(tmp_path / "last", *sample(1), is_synced=False)
    assert not flushed
    checkpoint.save(tmp_path / "last", *sample(1))
    assert len(flushed) == 5  # three files and two folders


def test_the_epoch_is_that_of_a_checkpoint_of_full_size(tmp_path):
    assert checkpoint.epoch(tmp_path / "last") is None
    checkpoint.save(tmp_path / "last", *sample(4))
    assert checkpoint.epoch(tmp_path / "last") == 4
    (tmp_path / "last" / "state.pt").write_bytes(b"")
    assert checkpoint.epoch(tmp_path / "last") is None


class Killed(BaseException):
    pass


def save_killed_at(monkeypatch, directory, epoch, instant):
    """Save, but stop dead at one of the calls that touch the disk; return whether the save came to its end."""
    calls = 0

    def counted(function):
        def call(*arguments, **keywords):
            nonlocal calls
            calls += 1
            if calls == instant:
                raise Killed
            return function(*arguments, **keywords)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", counted(lambda descriptor: None))
        for owner, name in ((os, "rename"), (shutil, "rmtree"), (Path, "mkdir"), (checkpoint, "_stream")):
            patch.setattr(owner, name, counted(getattr(owner, name)))
        try:
            checkpoint.save(directory, *sample(epoch))
        except Killed:
            return False
    return True


def test_every_pair_of_kills_leaves_a_complete_checkpoint(tmp_path, monkeypatch):
    instants = 0
    start = tmp_path / "start"
    checkpoint.save(start, *sample(1))
    for first in range(1, 40):
        is_first_done = False
        for second in range(1, 40):
            directory = tmp_path / f"{first}-{second}" / "last"
            shutil.copytree(start, directory)
            is_first_done = save_killed_at(monkeypatch, directory, 2, first)
            epoch = checkpoint.load(directory)[1]["epoch"]
            assert epoch in (1, 2)
            is_second_done = save_killed_at(monkeypatch, directory, 3, second)
            after = checkpoint.load(directory)[1]["epoch"]
            assert after == 3 if is_second_done else epoch <= after <= 3
            instants += 1
            if is_second_done:
                break
        if is_first_done:
            break
    assert instants > 100


def test_kill_nine_at_random_instants(tmp_path):
    seed = random.SystemRandom().randrange(10**6)
    print("seed", seed)
    script = Path(__file__).with_name("checkpoint_loop.py")
    command = [sys.executable, str(script), str(tmp_path / "last"), str(seed), "15"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"seed {seed}: {done.stderr}"
    assert int(done.stdout) > 15


@pytest.mark.parametrize("name", ["weights.safetensors", "state.pt"])
def test_one_flipped_bit_is_named(tmp_path, name):
    checkpoint.save(tmp_path / "last", *sample(1))
    path = tmp_path / "last" / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 16
    path.write_bytes(content)
    with pytest.raises(RunError, match=rf"{name}: damaged .*; restore it from a copy or train"):
        checkpoint.load(tmp_path / "last")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"files": {}}', b"\xff\xfe"])
def test_a_damaged_manifest_is_named(tmp_path, content):
    checkpoint.save(tmp_path / "last", *sample(1))
    (tmp_path / "last" / "manifest.json").write_bytes(content)
    with pytest.raises(RunError, match=r"manifest\.json: damaged"):
        checkpoint.load(tmp_path / "last")


def test_a_damaged_checkpoint_falls_back_to_the_one_before_and_says_so(tmp_path, caplog):
    checkpoint.save(tmp_path / "last.old", *sample(1))
    checkpoint.save(tmp_path / "last", *sample(2))
    shutil.copytree(tmp_path / "last", tmp_path / "kept")
    checkpoint.save(tmp_path / "last.old", *sample(1))
    (tmp_path / "last" / "state.pt").write_bytes(b"x")
    with caplog.at_level(logging.WARNING):
        assert checkpoint.load(tmp_path / "last")[1]["epoch"] == 1
    assert "state.pt: damaged" in caplog.text
    assert "last.old is used instead" in caplog.text
    checkpoint.save(tmp_path / "last", *sample(3))
    assert checkpoint.load(tmp_path / "last")[1]["epoch"] == 3
    assert not (tmp_path / "last.old").exists()


def test_a_first_checkpoint_that_was_killed_in_its_last_file_is_none(tmp_path, monkeypatch):
    def half(path, content, *, is_synced):
        path.write_bytes(content[: len(content) // 2])
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "_write_weights", lambda path, weights, *, is_synced: {})
        patch.setattr(checkpoint, "_write", half)
        with pytest.raises(Killed):
            checkpoint.save(tmp_path / "last", *sample(1))
    assert any((tmp_path / "last.new").iterdir())
    assert not checkpoint.exists(tmp_path / "last")
    checkpoint.save(tmp_path / "last", *sample(2))
    assert checkpoint.load(tmp_path / "last")[0]["count"] == 2


def test_no_checkpoint_is_said(tmp_path):
    assert not checkpoint.exists(tmp_path / "last")
    with pytest.raises(RunError, match="no checkpoint; the run ended before its first"):
        checkpoint.load(tmp_path / "last")


@pytest.mark.parametrize("name", ["weights.safetensors", "state.pt"])
def test_a_full_disk_keeps_the_checkpoint_before(tmp_path, monkeypatch, name):
    checkpoint.save(tmp_path / "last", *sample(1))
    begin = checkpoint._begin

    def begin_on_full_disk(directory):
        fresh = begin(directory)
        fresh.mkdir()
        (fresh / name).symlink_to("/dev/full")
        return fresh

    monkeypatch.setattr(checkpoint, "_begin", begin_on_full_disk)
    with pytest.raises(EnvironmentFault, match=r"the disk is full, .* free some space"):
        checkpoint.save(tmp_path / "last", *sample(2))
    assert checkpoint.load(tmp_path / "last")[1]["epoch"] == 1


def test_state_with_code_in_it_is_refused(tmp_path):
    checkpoint.save(tmp_path / "last", {"weight": torch.zeros(2)}, {"epoch": 1, "path": Path("x")})
    with pytest.raises(RunError, match="not the plain numbers that dlexp writes"):
        checkpoint.load(tmp_path / "last")


def test_a_manifest_that_is_a_folder_is_one_line(tmp_path):
    checkpoint.save(tmp_path / "last", {"w": torch.zeros(1)}, {"epoch": 1})
    (tmp_path / "last" / "manifest.json").unlink()
    (tmp_path / "last" / "manifest.json").mkdir()
    with pytest.raises(RunError, match=r"manifest\.json: damaged"):
        checkpoint.load(tmp_path / "last")


def test_the_one_before_is_used_with_a_warning_when_the_last_is_damaged(tmp_path, caplog):
    last = tmp_path / "last"
    for epoch in (1, 2, 3):
        checkpoint.save(last, *sample(epoch), keeps_previous=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["last", "last.old"]
    for name in (checkpoint.WEIGHTS, checkpoint.STATE, checkpoint.MANIFEST):
        whole = (last / name).read_bytes()
        for content in (b"", whole[:-1], whole[: len(whole) // 2] + b"~" + whole[len(whole) // 2 + 1 :], None):
            (last / name).unlink()
            if content is not None:
                (last / name).write_bytes(content)
            assert checkpoint.load(last)[1]["epoch"] == 2
            assert "last.old is used instead" in caplog.text
            caplog.clear()
            (last / name).write_bytes(whole)
    assert checkpoint.load(last)[1]["epoch"] == 3
    for name in ("last", "last.new", "last.old"):  # what a kill between two renames leaves alone
        last.rename(tmp_path / name)
        checkpoint.drop_previous(last)
        assert [path.name for path in tmp_path.iterdir()] == ["last"]


def test_a_full_disk_costs_the_checkpoint_before_the_last_and_nothing_else(tmp_path, monkeypatch):
    last = tmp_path / "last"
    for epoch in (1, 2):
        checkpoint.save(last, *sample(epoch), keeps_previous=True)
    write, seen = checkpoint._write_archive, []

    def full_while_there_are_two(path, state, *, is_synced):
        seen.append((last.parent / "last.old").exists())
        if seen[-1]:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, state, is_synced=is_synced)

    monkeypatch.setattr(checkpoint, "_write_archive", full_while_there_are_two)
    checkpoint.save(last, *sample(3), keeps_previous=True)
    assert seen == [True, False]
    assert checkpoint.load(last)[1]["epoch"] == 3


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "the disk is full, [0-9.]+ MiB are needed"), (errno.EFBIG, "file too large; raise the limit")],
)
def test_what_the_disk_refuses_torch_is_said_and_leaves_no_half(tmp_path, monkeypatch, number, words):
    last = tmp_path / "last"
    checkpoint.save(last, *sample(1))

    def refuse(self, data):
        self.fault = OSError(number, os.strerror(number))
        raise RuntimeError("[enforce fail at inline_container.cc] . unexpected pos 64 vs 0")

    monkeypatch.setattr(checkpoint._Hashing, "write", refuse)
    with pytest.raises(EnvironmentFault, match=words):
        checkpoint.save(last, *sample(2), keeps_previous=True)
    assert [path.name for path in tmp_path.iterdir()] == ["last"]
    assert checkpoint.load(last)[1]["epoch"] == 1
