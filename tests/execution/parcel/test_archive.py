"""Run folders that travel: whole and with their hash; what would write elsewhere is refused before anything is."""

import hashlib
import io
import os
import tarfile
from pathlib import Path

import pytest

from dlexp.execution.parcel.archive import Archive, ArchiveFault


def test_a_folder_comes_back_as_it_was(tmp_path):
    source = tmp_path / "source"
    (source / "checkpoints/last").mkdir(parents=True)
    (source / "empty").mkdir()
    (source / "manifest.json").write_text("{}")
    (source / "checkpoints/last/weights").write_bytes(os.urandom(5_000_000))
    for name in ("lock", "attempt", "mlflow.json"):
        (source / name).write_text("of the driver")
    (source / "elsewhere").symlink_to(tmp_path)
    (source / "best").hardlink_to(source / "checkpoints/last/weights")
    Archive.of(source).unpack(tmp_path / "copy")
    copied = {path.relative_to(tmp_path / "copy").as_posix() for path in (tmp_path / "copy").rglob("*")}
    assert copied == {"best", "empty", "manifest.json", "checkpoints", "checkpoints/last", "checkpoints/last/weights"}
    for name in ("best", "manifest.json", "checkpoints/last/weights"):
        assert (tmp_path / "copy" / name).read_bytes() == (source / name).read_bytes()


def test_the_same_files_have_the_same_hash_whatever_they_are_called_at_home(tmp_path):
    archives = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("text")
        os.utime(tmp_path / name / "file", (1, 1))
        archives.append(Archive.of(tmp_path / name))
    assert archives[0] == archives[1]


def made(*members: tarfile.TarInfo) -> Archive:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for member in members:
            content = b"text" if member.isreg() else b""
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return Archive(buffer.getvalue(), hashlib.sha256(buffer.getvalue()).hexdigest())


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


BAD = {
    "parent": member("../outside"),
    "parent within": member("a/../../outside"),
    "absolute": member("/tmp/dlexp-outside"),
    "link": member("link", tarfile.SYMTYPE, "/etc"),
    "link within": member("link", tarfile.SYMTYPE, "good"),
    "hard link": member("link", tarfile.LNKTYPE, "good"),
    "device": member("null", tarfile.CHRTYPE),
    "pipe": member("pipe", tarfile.FIFOTYPE),
    "itself": member("."),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_plain_file_under_a_plain_name_is_refused_and_nothing_is_written(tmp_path, name):
    before = set(tmp_path.iterdir())
    with pytest.raises(ArchiveFault, match=r"^a run folder that came back: got .*; only plain files under relative"):
        made(member("good"), BAD[name]).unpack(tmp_path / "place")
    assert set(tmp_path.iterdir()) == before
    assert not Path("/tmp/dlexp-outside").exists()


def test_what_changed_on_its_way_or_is_no_archive_is_refused(tmp_path):
    archive = made(member("good"))
    flipped = bytearray(archive.content)
    flipped[700] ^= 1
    with pytest.raises(ArchiveFault, match="its hash differs"):
        Archive(bytes(flipped), archive.sha256).unpack(tmp_path / "place")
    for content in (b"no tar", archive.content[:600]):
        with pytest.raises(ArchiveFault, match=r"it is no archive"):
            Archive(content, hashlib.sha256(content).hexdigest()).unpack(tmp_path / "place")
    assert not (tmp_path / "place").exists()
