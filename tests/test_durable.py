import errno
import os
from pathlib import Path

import pytest

from dlexp.durable import disk_faults, write_bytes, write_text
from dlexp.error import EnvironmentFault


def test_old_or_new_whatever_fails(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_text(path, "old")
    for name in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                write_text(path, "new")
        assert path.read_text() == "old"
    write_text(path, "newer")
    assert path.read_text() == "newer"


def test_a_full_disk_leaves_the_old_content_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_bytes(path, b"old")

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EnvironmentFault, match="file: the disk is full; free some space"):
        write_bytes(path, b"new")
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]
    assert path.read_bytes() == b"old"


def test_a_full_disk_as_torch_reports_it():
    with pytest.raises(EnvironmentFault), disk_faults(Path("x")):
        raise RuntimeError("[enforce fail at inline_container.cc:671] . unexpected pos 64 vs 0")


@pytest.mark.parametrize("error", [RuntimeError("other"), OSError(errno.EACCES, "Permission denied")])
def test_other_errors_pass(error):
    with pytest.raises(type(error)), disk_faults(Path("x")):
        raise error
