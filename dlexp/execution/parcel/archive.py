"""A run folder as bytes: a tar of its plain files, with the hash of all of it.

What comes from another machine is looked at before any of it is written: an archive may hold plain files and folders
under plain relative names, nothing else.
"""

import hashlib
import io
import tarfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from dlexp.error import DlexpError

AT_HOME = ("lock", "attempt", "mlflow.json")  # of the driver's folder; they do not travel


class ArchiveFault(DlexpError):
    """An archive that is damaged, or would write elsewhere than into its folder."""


@dataclass(frozen=True)
class Archive:
    """A folder on its way.

    Attributes:
        content: The tar.
        sha256: Of the content.
    """

    content: bytes
    sha256: str

    @classmethod
    def of(cls, folder: Path) -> "Archive":
        """Pack a folder; links and what is no plain file stay behind."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            for path in sorted(folder.rglob("*")):
                name = path.relative_to(folder).as_posix()
                if name not in AT_HOME and not path.is_symlink() and (path.is_file() or path.is_dir()):
                    _add(tar, path, name)
        content = buffer.getvalue()
        return cls(content, hashlib.sha256(content).hexdigest())

    def unpack(self, folder: Path) -> None:
        """Write the files into a folder that is not there yet.

        Raises:
            ArchiveFault: The content is not what was packed, or not plain files; nothing was written.
        """
        if hashlib.sha256(self.content).hexdigest() != self.sha256:
            raise ArchiveFault("a run folder that came back: its hash differs from that of what was sent")
        try:
            with tarfile.open(fileobj=io.BytesIO(self.content), mode="r:") as tar:
                members = tar.getmembers()
                for member in members:
                    _require_plain(member)
                folder.mkdir(parents=True)
                for member in members:
                    _write(tar, member, folder / member.name)
        except tarfile.TarError as error:
            raise ArchiveFault(f"a run folder that came back: it is no archive ({error})") from error


def _add(tar: tarfile.TarFile, path: Path, name: str) -> None:
    """Add a file or folder; a file that has two names (the last checkpoint may be the best) is added twice."""
    about, member = path.stat(), tarfile.TarInfo(name)
    member.mtime = int(about.st_mtime)
    if path.is_dir():
        member.type, member.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(member)
        return
    with open(path, "rb") as file:
        member.size = about.st_size
        tar.addfile(member, file)


def _require_plain(member: tarfile.TarInfo) -> None:
    """Refuse what is no file under a plain name.

    Raises:
        ArchiveFault: It is not.
    """
    name = PurePosixPath(member.name)
    is_inside = not name.is_absolute() and ".." not in name.parts and name.parts and "\0" not in member.name
    if not is_inside or not (member.isreg() or member.isdir()):
        kind = "a link" if member.issym() or member.islnk() else "a file" if member.isreg() else "no plain file"
        raise ArchiveFault(
            f"a run folder that came back: got {member.name!r}, {kind}; only plain files under relative names are taken"
        )


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    if member.isdir():
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    source = tar.extractfile(member)
    assert source is not None
    with source, open(path, "xb") as target:
        while block := source.read(2**20):
            target.write(block)
