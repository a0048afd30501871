"""Files that settings name, such as the first weights, on their way to workers that do not see the driver's disk.

The driver reads each once and hands it to the launcher once; a worker writes it once, into a folder that is gone with
its process. Data do not travel, nor do folders.
"""

import hashlib
import shutil
import tempfile
import weakref
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dlexp.config.source.place import contents, paths
from dlexp.disk.durable import disk_faults, write_bytes
from dlexp.execution.assignment import Assignment, Survey
from dlexp.execution.parcel.archive import ArchiveFault
from dlexp.launcher.launcher import Launcher, Stored


@dataclass(frozen=True)
class Enclosure:
    """A file's content on its way."""

    sha256: str
    stored: Stored


@dataclass
class Encloser:
    """What the driver has handed to a launcher so far; called with trials, it encloses the files that they name."""

    launcher: Launcher
    _stored: dict[str, Enclosure] = field(default_factory=dict)

    def __call__(self, assignments: Iterable[Assignment]) -> dict[str, Enclosure]:
        """Return the files by the paths that settings have."""
        named = {
            paths(each.config)[key]: sha256 for each in assignments for key, sha256 in contents(each.config).items()
        }
        return {path: self._enclose(path, sha256) for path, sha256 in named.items()}

    def survey(self, survey: Survey) -> Survey:
        """Return a survey for workers that see no file of this machine."""
        return replace(survey, cache=None, record=None, files=self(survey.assignments))

    def _enclose(self, path: str, sha256: str) -> Enclosure:
        if sha256 not in self._stored:
            with disk_faults(Path(path)):
                content = Path(path).read_bytes()
            self._stored[sha256] = Enclosure(sha256, self.launcher.store(content))
        return self._stored[sha256]


class Shelf:
    """What a worker's process has received so far."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._folder: Path | None = None

    def settle(self, assignments: list[Assignment], files: dict[str, Enclosure]) -> list[Assignment]:
        """Return trials whose settings name the files where they are here, which are written if they are not yet.

        Raises:
            ArchiveFault: A content is not what its hash says.
            DiskFault: The disk refuses.
        """
        if not files:
            return assignments
        places = {path: str(self._put(Path(path).name, enclosure)) for path, enclosure in files.items()}
        return [replace(each, config=_with_places(each.config, places), built=None) for each in assignments]

    def _put(self, name: str, enclosure: Enclosure) -> Path:
        """Return where a content is, under the name that it has at home, whose ending says how it is read."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="dlexp-files-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        path = self._folder / enclosure.sha256 / name
        if path.exists():
            return path
        content = enclosure.stored.read()
        if hashlib.sha256(content).hexdigest() != enclosure.sha256:
            raise ArchiveFault("a file that settings name: its hash differs from that of what was sent")
        path.parent.mkdir(exist_ok=True)
        write_bytes(path, content, is_synced=False)
        return path


def _with_places(config: dict[str, Any], places: dict[str, str]) -> dict[str, Any]:
    """Return a configuration with other paths; those of data stay."""
    return {
        group: {name: places.get(value, value) if isinstance(value, str) else value for name, value in node.items()}
        if isinstance(node, dict) and group != "data"
        else node
        for group, node in config.items()
    }
