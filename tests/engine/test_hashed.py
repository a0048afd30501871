"""What is written is hashed on its way, and what a disk refuses keeps its own words."""

import errno
import hashlib
import os

import pytest
import torch

from dlexp.engine import checkpoint, hashed
from dlexp.error import EnvironmentFault


@pytest.mark.parametrize("is_synced", [True, False])
def test_size_and_hash_are_those_of_the_file(tmp_path, is_synced):
    for name, told in {
        "bytes": hashed.write(tmp_path / "bytes", b"some bytes", is_synced=is_synced),
        "tree": hashed.write_archive(tmp_path / "tree", {"a": torch.arange(99.0), "epoch": 2}, is_synced=is_synced),
    }.items():
        content = (tmp_path / name).read_bytes()
        assert told == {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    assert torch.load(tmp_path / "tree", weights_only=True)["epoch"] == 2


def contents(epoch):
    return {"weight": torch.zeros(8)}, {"epoch": epoch, "moment": torch.ones(64)}


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "the disk is full, [0-9.]+ MiB are needed"), (errno.EFBIG, "file too large; raise the limit")],
)
def test_what_the_disk_refuses_torch_is_said_and_leaves_no_half(tmp_path, monkeypatch, number, words):
    last = tmp_path / "last"
    checkpoint.save(last, *contents(1))

    def refuse(self, data):
        self.fault = OSError(number, os.strerror(number))
        raise RuntimeError("[enforce fail at inline_container.cc] . unexpected pos 64 vs 0")

    monkeypatch.setattr(hashed.Hashing, "write", refuse)
    with pytest.raises(EnvironmentFault, match=words):
        checkpoint.save(last, *contents(2), keeps_previous=True)
    assert [path.name for path in tmp_path.iterdir()] == ["last"]
    assert checkpoint.load(last)[1]["epoch"] == 1
