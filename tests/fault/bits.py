"""What must be equal, bit for bit, between a run that was disturbed and one that was not."""

import hashlib
import json
from pathlib import Path
from typing import Any

VARYING = ("run_id", "run_dir", "seconds", "time", "command", "sha256")  # the last seals the others


def stripped(record: Any) -> Any:
    """Return a document without ids, folders and times."""
    if isinstance(record, dict):
        return {key: stripped(value) for key, value in record.items() if key not in VARYING}
    return [stripped(entry) for entry in record] if isinstance(record, list) else record


def bits_of_run(folder: Path) -> dict[str, Any]:
    """Return history, weights, predictions and result of a run that has ended."""
    history = [stripped(json.loads(line)) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    files = [folder / "checkpoints" / name / "weights.safetensors" for name in ("last", "best")]
    files += sorted((folder / "predictions").glob("*.npz"))
    digests = {file.relative_to(folder).as_posix(): digest(file) for file in files}
    return {"history": history, "result": stripped(json.loads((folder / "result.json").read_text())), **digests}


def digest(path: Path) -> str:
    """Return a file's SHA-256."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def result_of(runs_dir: Path) -> dict[str, Any]:
    """Return the result of the only sweep or cv in a folder that has one."""
    (path,) = runs_dir.glob("*/*/result.json")
    return stripped(json.loads(path.read_text()))


def run_folder(runs_dir: Path) -> Path:
    """Return the only run folder with a result."""
    (path,) = runs_dir.glob("*/*/result.json")
    return path.parent


def differences(expected: Any, got: Any, where: str = "") -> list[str]:
    """Return where two documents differ."""
    if isinstance(expected, dict) and isinstance(got, dict):
        keys = sorted(expected.keys() | got.keys())
        return [text for key in keys for text in differences(expected.get(key), got.get(key), f"{where}/{key}")]
    if isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        pairs = enumerate(zip(expected, got, strict=True))
        return [text for i, (a, b) in pairs for text in differences(a, b, f"{where}/{i}")]
    return [] if expected == got else [f"{where}: {str(got)[:60]} instead of {str(expected)[:60]}"]


def require_equal(expected: Any, got: Any) -> None:
    """Raise, naming where they differ, when two documents are not equal."""
    unequal = differences(expected, got)
    assert not unequal, "; ".join(unequal[:4])
