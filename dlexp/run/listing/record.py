"""The record of a run: what its manifest, its result and its notes say, in one form for trainings, sweeps and cvs."""

import json
from pathlib import Path
from typing import Any

from dlexp.config.relevance import tells_runs_apart
from dlexp.disk.regular import open_regular, read_bytes
from dlexp.run.config_file import split_lines
from dlexp.run.document import RunRecord
from dlexp.run.folder import MANIFEST, METRICS, OVERRIDES, RESULT, RunFolder, is_run
from dlexp.run.jsonable import unsealed
from dlexp.run.listing import note
from dlexp.run.listing.winner import winner_metrics
from dlexp.run.lock import Lock
from dlexp.run.name import identity, located
from dlexp.run.status import Status

_TAIL = 2**16  # bytes at the end of a history, which hold its last line
_MANIFEST_FIELDS = ("kind", "experiment", "seed", "device", "task", "start", "end", "validated_on")


def read_record(path: Path, locked: Path) -> RunRecord | None:
    """Return what is known of a run; None where its folder holds none.

    Args:
        path: The run's folder.
        locked: The folder whose lock says whether the run's process lives: the run's own, or the one of its cv.
    """
    manifest = read_object(path / MANIFEST)
    if manifest is None and not is_run(path):
        return None
    manifest = manifest or {}
    result = read_object(path / RESULT)
    is_damaged = result == {}
    result = located(result or {}, path)
    status = _status(manifest, locked)
    status = Status.DAMAGED if is_damaged and Status(status).is_over else status
    run_id, slug = identity(path)
    record: dict[str, Any] = {key: manifest.get(key) for key in _MANIFEST_FIELDS}
    record |= result | {"run_id": run_id, "run_dir": str(path), "status": status, "slug": slug}
    record["params"] = {**written_params(path), **_mapping(manifest.get("params"))}
    record["metrics"] = _mapping(result.get("metrics"))
    if record["kind"] == "train" and status != Status.DAMAGED and not Status(status).is_over:
        record |= _progress(path, record)
    metric = _mapping(manifest.get("monitor")).get("metric") or result.get("metric")
    metrics = {**record["metrics"], **winner_metrics(result)}
    value = metrics.get(metric) if metric else None
    whole: Any = {**record, "metric": metric, "value": value, "metrics": metrics, **note.read(path)}
    return whole


def read_object(path: Path) -> dict[str, Any] | None:
    """Return a JSON object; None when the file is absent, an empty one when it is damaged."""
    try:
        return unsealed(read_bytes(path))
    except FileNotFoundError:
        return {} if path.is_symlink() else None
    except (OSError, ValueError):
        return {}


def _mapping(value: Any) -> dict[str, Any]:
    """Return a mapping of a document; an empty one where a damaged document holds something else."""
    return value if isinstance(value, dict) else {}


def written_params(path: Path) -> dict[str, str]:
    """Return what the user wrote, ``{key: value}`` as text; what does not tell runs apart is left out."""
    try:
        lines = split_lines(read_bytes(path / OVERRIDES).decode(errors="replace"))
    except OSError:
        return {}
    pairs = (text.lstrip("+").partition("=") for text in lines if "=" in text)
    return {key: value for key, _, value in pairs if tells_runs_apart(key)}


def _status(manifest: dict[str, Any], locked: Path) -> str:
    status = manifest.get("status", Status.DAMAGED)
    if not isinstance(status, str) or status not in set(Status):
        return Status.DAMAGED
    if status == Status.RUNNING and not Lock(locked / "lock").is_held():
        return Status.KILLED
    return status


def _progress(path: Path, record: dict[str, Any]) -> dict[str, Any]:
    """Return the last epoch of a run that is not over, how many it should have, and that epoch's metrics."""
    last = last_epoch(path / METRICS)
    if last is None:
        return {"planned_epochs": _planned(path, record)}
    metrics = {name: value for name, value in last.items() if "/" in name}
    return {
        "epochs": last["epoch"],
        "planned_epochs": _planned(path, record),
        "metrics": record["metrics"] or metrics,
        "seconds": record.get("seconds", round(sum_seconds(path / METRICS), 3)),
    }


def last_epoch(history: Path) -> dict[str, Any] | None:
    """Return the last whole line of a history; None where there is none."""
    try:
        with open_regular(history) as file:
            file.seek(max(0, file.seek(0, 2) - _TAIL))
            lines = file.read().split(b"\n")[:-1]
        record = json.loads(lines[-1])
    except (OSError, ValueError, IndexError):
        return None
    return record if isinstance(record, dict) and isinstance(record.get("epoch"), int) else None


def sum_seconds(history: Path) -> float:
    """Return the seconds of all epochs of a history; lines that cannot be read count nothing."""
    total = 0.0
    for line in read_bytes(history).splitlines():
        try:
            total += float(json.loads(line)["seconds"])
        except (ValueError, KeyError, TypeError):
            continue
    return total


def _planned(path: Path, record: dict[str, Any]) -> int | None:
    planned = record["params"].get("trainer.epochs")
    if planned is None:
        try:
            planned = RunFolder(path).config["trainer"]["epochs"]
        except Exception:  # a configuration that cannot be read says nothing about the epochs
            return None
    return int(planned) if str(planned).isdigit() else None
