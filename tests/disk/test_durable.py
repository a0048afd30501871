import errno
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from dlexp.disk.durable import disk_faults, require_space, sweep, write_bytes, write_text
from dlexp.error import DiskFault, EnvironmentFault


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
    with pytest.raises(
        EnvironmentFault,
        match=r"file: the disk is full, 0\.1 MiB are needed, \d+\.\d MiB are free at .*; .*\(what was saved before",
    ):
        write_bytes(path, b"new")
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]
    assert path.read_bytes() == b"old"


def test_too_little_room_is_told_with_what_is_missing(tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 3 * 2**20})
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    require_space(tmp_path / "runs", 3 * 2**20, "the files take")
    with pytest.raises(DiskFault) as refused:
        require_space(tmp_path / "runs", 5 * 2**20 + 1, "the files take")
    assert str(refused.value) == (
        f"{tmp_path}/runs: the files take 5.1 MiB, 3.0 MiB are free at {tmp_path} (2.1 MiB are missing); "
        "free some space or set runs_dir to another disk"
    )


def test_a_full_disk_as_torch_reports_it():
    with pytest.raises(EnvironmentFault), disk_faults(Path("x")):
        raise RuntimeError("[enforce fail at inline_container.cc:671] . unexpected pos 64 vs 0")


@pytest.mark.parametrize("error", [RuntimeError("other"), OSError(errno.EINTR, "Interrupted")])
def test_other_errors_pass(error):
    with pytest.raises(type(error)), disk_faults(Path("x")):
        raise error


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.EDQUOT, "the disk is full, .* free some space"),
        (errno.EFBIG, "file too large; raise the limit"),
        (errno.EROFS, "read-only file system; set runs_dir"),
        (errno.EACCES, "permission denied; set runs_dir"),
        (errno.ENOENT, "no such file or directory; the folder was moved or deleted"),
        (errno.EIO, "input/output error; the disk or network drive fails"),
        (errno.ENAMETOOLONG, "file name too long; choose a shorter"),
    ],
)
def test_what_a_disk_refuses_is_one_line_with_the_cure(number, message):
    with pytest.raises(EnvironmentFault, match=message) as caught, disk_faults(Path("x")):
        raise OSError(number, os.strerror(number))
    assert isinstance(caught.value, OSError)
    assert caught.value.exit_code == 1
    assert "\n" not in str(caught.value)


def test_temporaries_of_killed_processes_are_swept_and_no_others(tmp_path):
    with subprocess.Popen(["true"]) as dead:
        dead.wait()
    left = tmp_path / f".config.yaml.{dead.pid}.new"
    for name in (left.name, f".mlflow.json.{os.getpid()}.new", "a.new", ".b.new", "config.yaml"):
        (tmp_path / name).write_text("x")
    sweep(tmp_path)
    assert not left.exists()
    assert len(list(tmp_path.iterdir())) == 4
    sweep(tmp_path / "absent")


def test_a_folder_that_cannot_be_flushed_is_told_in_one_line(tmp_path, monkeypatch):
    fsync, seen = os.fsync, []

    def refuse_the_second(descriptor):
        seen.append(descriptor)
        if len(seen) == 2:
            raise OSError(errno.EDQUOT, "Disk quota exceeded")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", refuse_the_second)
    with pytest.raises(EnvironmentFault, match=r"file: the disk is full, .*; free some space"):
        write_bytes(tmp_path / "file", b"new")
    assert len(seen) == 2
