"""What goes to a worker that does not see the runs folder, and what comes back and is put in its place.

A worker trains in a folder of its own. The folder of a trial comes back when it ended, or when all were told to stop:
whole, with its hash. If the worker goes before, the trial begins anew from what the driver has.
"""

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from dlexp.disk.durable import disk_faults, flush_folder
from dlexp.execution.assignment import Group
from dlexp.execution.integrity import checksums
from dlexp.execution.parcel.archive import AT_HOME, Archive
from dlexp.execution.parcel.enclosure import Enclosure
from dlexp.run.folder import MANIFEST, RunFolder
from dlexp.run.jsonable import sealed
from dlexp.run.lock import last_attempt

INCOMING = "incoming"  # in the sweep's or cv's folder: where an archive is unpacked before it counts


@dataclass(frozen=True)
class Parcel:
    """A group with the folders that its trials begin from, in the order of its assignments.

    Attributes:
        group: What to train.
        folders: Of each trial.
        files: That settings name, by their paths there.
    """

    group: Group
    folders: list[Archive]
    files: dict[str, Enclosure] = field(default_factory=dict)

    @classmethod
    def of(cls, group: Group, files: dict[str, Enclosure]) -> "Parcel":
        """Pack the folders of a group's trials, with the files that they name."""
        return cls(group, [Archive.of(assignment.path) for assignment in group.assignments], files)


@dataclass(frozen=True)
class Returned:
    """A trial's folder that came back.

    Attributes:
        path: Where the driver has it.
        attempt: That the worker was given.
        folder: What the worker has of it.
    """

    path: Path
    attempt: int | None
    folder: Archive

    def put_in_place(self) -> bool:
        """Replace the driver's folder by this one, whole; say whether it still counted.

        A kill in between leaves the folder away, which has the trial trained again, never a mixture.

        Raises:
            ArchiveFault: It is damaged, or would write elsewhere; the driver's folder stays.
            DiskFault: The disk refuses.
        """
        if last_attempt(self.path) != (self.attempt or 0):
            return False  # of a worker that was given up
        place = self.path.parent.parent / INCOMING
        fresh, old = place / self.path.name, place / f"{self.path.name}.old"
        with disk_faults(place, len(self.folder.content)):
            for path in (fresh, old):
                shutil.rmtree(path, ignore_errors=True)
            self.folder.unpack(fresh)
            _make_at_home(fresh, self.path)
            os.rename(self.path, old)
            os.rename(fresh, self.path)
            flush_folder(self.path.parent)
            shutil.rmtree(old, ignore_errors=True)
            with suppress(OSError):
                place.rmdir()
        return True


def _make_at_home(fresh: Path, path: Path) -> None:
    """Give a folder what it has at home: its path in its result, the files that do not travel."""
    folder = RunFolder(fresh)
    manifest, result = folder.manifest, folder.result
    if result is not None:
        is_whole = manifest.get("sealed") == checksums(folder)
        folder.write_result({**result, "run_dir": str(path)})
        if is_whole:
            folder.write(MANIFEST, sealed({**manifest, "sealed": checksums(folder)}))
    for name in AT_HOME:
        with suppress(FileNotFoundError):
            shutil.copy2(path / name, fresh / name)
