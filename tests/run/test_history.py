import errno
import hashlib
import json
import math
import os

import numpy as np
import pytest
import torch

from dlexp.error import EnvironmentFault, RunError
from dlexp.run import history


@pytest.fixture
def path(tmp_path):
    return tmp_path / "metrics.jsonl"


def add(path, *epochs):
    chain = history.Chain(path)
    for epoch in epochs:
        chain.append({"epoch": epoch, "step": epoch * 10, "train/loss": 1 / epoch})


def test_a_line_an_epoch_with_its_time(path):
    add(path, 1, 2)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2]
    assert lines[0]["time"] <= lines[1]["time"]
    assert history.read(path) == lines


def test_numbers_that_are_not_finite_are_valid_json(path):
    values = {"a": math.nan, "b": math.inf, "c": np.float32("nan"), "d": torch.tensor(-math.inf), "e": np.float64(0.5)}
    history.Chain(path).append({"epoch": 1, **values})
    line = json.loads(path.read_text(), parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    assert [line[key] for key in "abcde"] == [None, None, None, None, 0.5]
    assert all(math.isnan(history.read(path)[0][key]) for key in "abcd")


def test_numbers_come_back_exactly(path):
    values = [0.1, 1 / 3, 1e-300, 123456789.123456789]
    history.Chain(path).append({"epoch": 1, **{str(i): value for i, value in enumerate(values)}})
    assert [history.read(path)[0][str(i)] for i in range(len(values))] == values


def test_a_line_torn_at_any_byte_is_dropped(path):
    add(path, 1, 2)
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    for end in range(first, len(whole)):
        path.write_bytes(whole[:end])
        assert [record["epoch"] for record in history.read(path)] == [1]
        add(path, 2, 3)
        assert [record["epoch"] for record in history.read(path)] == [1, 2, 3]


def test_truncate_keeps_the_first_epochs_unchanged(path):
    add(path, 1, 2, 3, 4)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines) + b'{"epoch": 5, "st')
    history.truncate(path, 2)
    assert path.read_bytes() == b"".join(lines[:2])
    history.truncate(path, 0)
    assert history.read(path) == []


def test_an_edited_history_is_not_read_beside_its_checkpoint(path):
    add(path, 1, 2, 3)
    manifest = path.parent / "last" / "manifest.json"
    manifest.parent.mkdir()
    manifest.write_text(json.dumps({"epoch": 2, "history": history.digest(path, 2)}))
    whole = path.read_bytes()
    assert len(history.read(path, path.parent)) == 3
    for damaged in (whole.replace(b'"train/loss": 0.5', b'"train/loss": 0.4'), whole[: whole.index(b"\n") + 1], b""):
        path.write_bytes(damaged)
        with pytest.raises(RunError, match=r"metrics\.jsonl: damaged or edited; its epochs up to 2 .* restore it"):
            history.read(path, path.parent)


def test_nothing_was_written_yet(path):
    assert history.read(path) == []
    history.truncate(path, 0)
    assert history.read(path) == []


def test_a_full_disk_is_said(tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EnvironmentFault, match="disk is full"):
        history.Chain(tmp_path / "metrics.jsonl").append({"epoch": 1})


DAMAGE = {
    "deleted": lambda lines: None,
    "empty": lambda lines: [],
    "half of the lines": lambda lines: lines[: len(lines) // 2],
    "first line missing": lambda lines: lines[1:],
    "a line twice": lambda lines: [lines[0], *lines[:-1]],
    "lines exchanged": lambda lines: [lines[1], lines[0], *lines[2:]],
    "a digit": lambda lines: [line.replace(b"0.5", b"0.6") for line in lines],
    "null": lambda lines: [b"null"] * len(lines),
    "list": lambda lines: [b"[]"] * len(lines),
    "garbage": lambda lines: [bytes([200, 7, 0, 255])] * len(lines),
    "NUL": lambda lines: [b"\0" * len(line) for line in lines],
    "one byte cut": lambda lines: [lines[0][:-1], *lines[1:]],
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_history_that_is_not_the_checkpoint_s_is_refused_and_left(tmp_path, damage):
    path = tmp_path / "metrics.jsonl"
    chain = history.Chain(path)
    for epoch in range(1, 5):
        chain.append({"epoch": epoch, "val/accuracy": 0.5})
    seal = history.digest(path, 4)
    changed = DAMAGE[damage](path.read_bytes().splitlines())
    path.unlink()
    if changed is not None:
        path.write_bytes(b"".join(line + b"\n" for line in changed))
    before = changed is not None and path.read_bytes()
    with pytest.raises(
        RunError, match=r"metrics\.jsonl: damaged, .*restore it from a copy|metrics\.jsonl: damaged or edited; its"
    ):
        history.truncate(path, 4, seal)
    assert before == (path.exists() and path.read_bytes())


def test_the_seal_is_of_the_epochs_up_to_the_checkpoint(tmp_path):
    path = tmp_path / "metrics.jsonl"
    chain = history.Chain(path)
    for epoch in range(1, 4):
        chain.append({"epoch": epoch, "val/accuracy": 0.5})
    (tmp_path / "checkpoints" / "last.old").mkdir(parents=True)
    manifest = {"epoch": 3, "history": history.digest(path, 3)}
    (tmp_path / "checkpoints" / "last.old" / "manifest.json").write_text(json.dumps(manifest))
    assert history.seal(tmp_path / "checkpoints", 3) == history.digest(path, 3)
    assert history.seal(tmp_path / "checkpoints", 2) is None
    before = path.read_bytes()
    chain.append({"epoch": 4, "val/accuracy": 0.1})
    history.truncate(path, 3, history.seal(tmp_path / "checkpoints", 3))
    assert path.read_bytes() == before


def test_the_hash_held_while_a_history_grows_is_that_of_the_file(path):
    add(path, 1, 2)  # by a process before, torn by its kill
    path.write_bytes(path.read_bytes() + b'{"epoch": 3, "st')
    chain = history.Chain(path)
    for epoch in range(3, 6):
        chain.append({"epoch": epoch, "val/accuracy": 0.5})
        lines = path.read_bytes().splitlines()
        assert chain.digest(epoch) == history.digest(path, epoch) == hashlib.sha256(b"\n".join(lines)).hexdigest()
    assert chain.digest(2) == history.digest(path, 2)  # an earlier one is read from the file


def test_an_epoch_s_hash_does_not_read_the_epochs_before(path, monkeypatch):
    chain = history.Chain(path)
    chain.append({"epoch": 1})
    monkeypatch.setattr(history, "_complete_lines", lambda _: pytest.fail("read the whole history"))
    for epoch in range(2, 5):
        chain.append({"epoch": epoch})
        chain.digest(epoch)


@pytest.mark.parametrize("change", [lambda path: path.unlink(), lambda path: path.write_bytes(b'{"epoch": 1}\n')])
def test_a_history_that_changes_under_the_run_ends_it(path, change):
    chain = history.Chain(path)
    for epoch in range(1, 4):
        chain.append({"epoch": epoch, "val/accuracy": 0.5})
    change(path)
    with pytest.raises(
        EnvironmentFault, match=r"metrics\.jsonl: was changed or deleted while the run wrote it; restore"
    ):
        chain.append({"epoch": 4})
