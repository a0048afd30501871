"""`exports.json`: which files a run's model was exported to, so that pages about the run can name them."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from typing_extensions import TypedDict

from dlexp.disk.regular import read_bytes
from dlexp.error import DiskFault
from dlexp.run.folder import RunFolder
from dlexp.run.jsonable import sealed, unsealed
from dlexp.type import Real

FORMS = ("pt2", "onnx", "safetensors")
FILE = "exports.json"
_TEXTS = ("path", "format", "sha256", "card_sha256", "facts_sha256")
_NUMBERS = ("bytes", "difference", "seconds")


class ExportRecord(TypedDict):
    """A file that a run's model was exported to.

    Attributes:
        path: Of the file, absolute.
        format: "pt2", "onnx" or "safetensors".
        sha256: Of its content.
        card_sha256: Of the card beside it.
        facts_sha256: Of the JSON beside it.
        bytes: That it takes.
        difference: The largest from the run's own outputs.
        seconds: That writing and checking took.
        is_there: Whether the file is still there.
    """

    path: str
    format: str
    sha256: str
    card_sha256: str
    facts_sha256: str
    bytes: int
    difference: Real
    seconds: float
    is_there: bool


def is_exported(path: Path) -> bool:
    """Say whether a file is, by its ending, an exported model."""
    return path.suffix.lower().removeprefix(".") in FORMS


def read_exports(folder: RunFolder) -> list[ExportRecord]:
    """Return the files that were exported, oldest first; none where the record is damaged: files say what they are."""
    try:
        entries: Any = unsealed(read_bytes(folder.path / FILE))["exports"]
        return [_record(entry) for entry in entries]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _record(entry: dict[str, Any]) -> ExportRecord:
    texts = {name: str(entry[name]) for name in _TEXTS}
    numbers = {name: (int if name == "bytes" else float)(entry[name]) for name in _NUMBERS}
    fields: Any = {**texts, **numbers, "is_there": Path(texts["path"]).is_file()}
    return fields


def add_export(folder: RunFolder, record: ExportRecord) -> None:
    """Add a file to a run's record, in place of one of its path; a folder that may only be read stays as it is."""
    others = [entry for entry in read_exports(folder) if entry["path"] != record["path"]]
    entries = [{name: value for name, value in entry.items() if name != "is_there"} for entry in [*others, record]]
    with suppress(DiskFault):
        folder.write(FILE, sealed({"exports": entries}))
