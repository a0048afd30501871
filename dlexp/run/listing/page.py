"""Everything that is known of one run, on a page: what `dlexp show` prints."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from typing_extensions import TypedDict

from dlexp.config.wording import setting_text
from dlexp.disk.regular import read_bytes
from dlexp.error import DlexpError, RunError
from dlexp.run.document import RunRecord
from dlexp.run.folder import LOG, MANIFEST, RunFolder
from dlexp.run.listing.exported import ExportRecord, read_exports
from dlexp.run.listing.record import read_object, read_record
from dlexp.run.stored import require_unedited
from dlexp.type import Real

LOG_LINES = 5
INNER = 5  # of a sweep's trials and a cv's settings the best, of a cv's folds all
_ENVIRONMENT = ("python", "platform", "host", "user", "git", "packages")


class Saved(TypedDict):
    """A checkpoint.

    Attributes:
        name: "best" or "last".
        epoch: That it holds; None where that cannot be read.
        bytes: That it takes.
    """

    name: str
    epoch: int | None
    bytes: int


class InnerRun(TypedDict):
    """A trial, a setting or a fold of a run, or a member of an ensemble.

    Attributes:
        name: Its setting, or "fold 1", with "repeat 2" before it where there are several.
        status: How it ended; of a member its weight.
        value: Of the metric, of a member that of the choice; None without one.
    """

    name: str
    status: str
    value: Real | None


class RunPage(TypedDict):
    """Everything that is known of one run.

    Attributes:
        run: Its record, as `dlexp runs` lists it.
        faults: What of its files is damaged or was edited, a line each with the cure.
        holder: The id of the sweep or cv that it is inside; None for a run by itself.
        command: That began it; None where it is not known.
        overrides: That the user wrote.
        resumes: How often it was gone on with.
        test_openings: How often its sealed test part was opened.
        curve: The metric by epoch.
        inner: The best trials of a sweep or settings of a cv, a cv's folds, or the heaviest members of an ensemble.
        num_inner: Of all trials, settings, folds or members.
        checkpoints: That are there.
        figures: Their paths.
        exports: Files that its model was exported to.
        bytes: That the folder takes.
        environment: python, platform, host, user, git and packages, as far as they are known.
        log: The last lines.
    """

    run: RunRecord
    faults: list[str]
    holder: str | None
    command: str | None
    overrides: list[str]
    resumes: int
    test_openings: int
    curve: list[Real]
    inner: list[InnerRun]
    num_inner: int
    checkpoints: list[Saved]
    figures: list[str]
    exports: list[ExportRecord]
    bytes: int
    environment: dict[str, Any]
    log: list[str]


def page(folder: RunFolder) -> RunPage:
    """Return everything that is known of a run; what is damaged is left out."""
    holder = folder.parent
    record = read_record(folder.path, folder.path if holder is None else holder.path)
    assert record is not None, "a run folder has a manifest"
    manifest = read_object(folder.path / MANIFEST) or {}
    inner = _inner(record)
    whole: Any = {"data": manifest.get("data"), **record}  # a sweep's result does not name its data
    return {
        "run": whole,
        "faults": _faults(folder),
        "holder": None if holder is None else holder.run_id,
        "command": manifest.get("command"),
        "overrides": _overrides(folder),
        "resumes": manifest.get("resumes", 0),
        "test_openings": manifest.get("test_openings", 0),
        "curve": _curve(folder, record["metric"]),
        "inner": inner if inner and inner[0]["name"].startswith(("fold", "repeat")) else inner[:INNER],
        "num_inner": len(inner),
        "checkpoints": _checkpoints(folder),
        "figures": [str(path) for path in sorted(folder.figures.glob("*")) if path.is_file()],
        "exports": read_exports(folder),
        "bytes": _size(folder.path),
        "environment": {name: manifest[name] for name in _ENVIRONMENT if manifest.get(name) is not None},
        "log": _lines(folder.path / LOG)[-LOG_LINES:],
    }


def _faults(folder: RunFolder) -> list[str]:
    """Return what cannot be believed of the files that a run's numbers are read from."""
    looks: list[Callable[[], object]] = [
        lambda: folder.manifest,
        lambda: folder.result,
        lambda: require_unedited(folder),
        lambda: folder.overrides,
        folder.history,
    ]
    faults: list[str] = []
    for look in looks:
        try:
            look()
        except (DlexpError, OSError) as error:
            faults.append(str(error))
    return list(dict.fromkeys(faults))


def _overrides(folder: RunFolder) -> list[str]:
    try:
        return folder.overrides
    except RunError:
        return []


def _lines(path: Path) -> list[str]:
    try:
        return read_bytes(path).decode(errors="replace").splitlines()
    except OSError:
        return []


def _curve(folder: RunFolder, metric: str | None) -> list[float]:
    try:
        return [epoch[metric] for epoch in folder.history() if metric in epoch]
    except (OSError, RunError):
        return []


def _inner(record: RunRecord) -> list[InnerRun]:
    """Return the trials or settings, best first, the folds in order, or the members, the heaviest first."""
    from dlexp.direction import has_direction, is_better_high

    metric: Any = record["metric"]
    members: list[Any] = record.get("members") or []
    if members:
        return [_member(member) for member in members]
    folds = record.get("folds")
    if folds:
        repeats = len({fold["repeat"] for fold in folds})
        return [_fold(fold, metric, repeats) for fold in folds]
    entries: list[Any] = record.get("trials") or record.get("settings") or []
    sign = -1 if metric is None or not has_direction(metric) or is_better_high(metric) else 1
    ordered = sorted(entries, key=lambda e: (e.get("value") is None, sign * (e.get("value") or 0)))
    return [{"name": setting_text(e["overrides"]), "status": e["status"], "value": e.get("value")} for e in ordered]


def _fold(fold: dict[str, Any], metric: str, repeats: int) -> InnerRun:
    name = f"fold {fold['fold'] + 1}"
    seed = f" seed {fold['seed']}" if fold.get("seed") else ""
    name = f"repeat {fold['repeat'] + 1} {name}" if repeats > 1 else name
    return {"name": name + seed, "status": fold["status"], "value": fold["metrics"].get(metric)}


def _member(member: dict[str, Any]) -> InnerRun:
    return {"name": member["label"], "status": f"weight {member['weight']:.3g}", "value": member["value"]}


def _checkpoints(folder: RunFolder) -> list[Saved]:
    saved: list[Saved] = []
    for path in sorted(folder.checkpoints.glob("*")):
        if path.name in ("best", "last"):
            epoch = (read_object(path / MANIFEST) or {}).get("epoch")
            saved.append({"name": path.name, "epoch": epoch, "bytes": _size(path)})
    return saved


def _size(path: Path) -> int:
    """Return the bytes of all files below a folder; one that goes away meanwhile counts nothing."""
    total = 0
    for place, _, names in os.walk(path):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_size
            except OSError:
                continue
    return total
