"""What MLflow is told about a run, as plain data made from the run folder alone: the same folder, the same content."""

import json
import math
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from dlexp.config.source.environment import redact
from dlexp.error import RunError
from dlexp.run.environment import to_milliseconds
from dlexp.run.folder import RunFolder
from dlexp.run.listing.winner import winner_metrics
from dlexp.run.status import Status

MLFLOW_STATUS = {
    Status.RUNNING: "RUNNING",
    Status.DETACHED: "RUNNING",
    Status.FINISHED: "FINISHED",
    Status.STOPPED_EARLY: "FINISHED",
    Status.DIVERGED: "FAILED",
    Status.FAILED: "FAILED",
    Status.INTERRUPTED: "KILLED",
    Status.KILLED: "KILLED",
}
RUN_ID_TAG = "dlexp.run_id"
_FILES = (
    "config.yaml",
    "overrides.txt",
    "manifest.json",
    "model.json",
    "metrics.jsonl",
    "result.json",
    "log.txt",
)
_NOT_METRICS = ("epoch", "step", "time")
_OF_AN_EPOCH = ("train/", "val/")  # parts that every epoch is measured on
_LONGEST_PARAM = 6000  # characters, MLflow's limit
_BIGGEST_PREDICTIONS = 50 * 2**20  # bytes


class Point(NamedTuple):
    """One value of one metric: name, value, milliseconds since 1970, epoch."""

    name: str
    value: float
    time: int
    epoch: int


class Monitor(NamedTuple):
    """The metric that runs are compared by."""

    metric: str
    higher_is_better: bool

    @property
    def summary(self) -> str:
        """The name of its best value so far, the column that runs are sorted by: ``best/val_accuracy``."""
        return best_name(self.metric)


def best_name(metric: str) -> str:
    """Return the name of a metric's value at the best epoch, which the terminal shows: ``best/val_accuracy``."""
    return f"best/{metric.replace('/', '_')}"


def facts(folder: RunFolder) -> dict[str, Any]:
    """Return the manifest, with what only the result knows (counts of examples and parameters) when there is one."""
    manifest, result = folder.manifest, folder.result or {}
    known = {name: result[name] for name in ("data", "num_params") if name in result}
    return {**manifest, **known}


def monitor(manifest: dict[str, Any], history: list[dict[str, Any]]) -> Monitor:
    """Return the run's metric: the manifest's `monitor` {metric, mode}, else validation accuracy, else loss."""
    stated = manifest.get("monitor")
    if stated:
        return Monitor(stated["metric"], stated["mode"] == "max")
    if any("val/accuracy" in record for record in history):
        return Monitor("val/accuracy", True)
    return Monitor("val/loss", False)


def last_safe_epoch(folder: RunFolder, manifest: dict[str, Any], history: list[dict[str, Any]]) -> int:
    """Return the last epoch that no resumed run will write again: what lies after the checkpoint may still change."""
    saved = folder.saved_epoch()
    if saved is not None and not Status(manifest["status"]).is_over:
        return saved
    return history[-1]["epoch"] if history else 0


def points(history: list[dict[str, Any]], chosen: Monitor, after: int, until: int) -> Iterator[Point]:
    """Yield the metrics of the epochs in (after, until], with the best value so far as one of them."""
    best = math.nan
    for record in history:
        value = record.get(chosen.metric, math.nan)
        is_better = value > best if chosen.higher_is_better else value < best
        best = value if is_better or math.isnan(best) else best
        if not after < record["epoch"] <= until:
            continue
        time = round(record["time"] * 1000)
        # first, because MLflow's comparison of runs draws the metric that a run was given first
        values = {chosen.summary: best} if chosen.metric in record else {}
        values |= {name: number for name, number in record.items() if name not in _NOT_METRICS}
        for name, number in values.items():
            if isinstance(number, int | float):
                yield Point(clean_name(name), float(number), time, record["epoch"])


def final_points(folder: RunFolder, manifest: dict[str, Any], history: list[dict[str, Any]]) -> list[Point]:
    """Return the result's metrics that no epoch has, such as those of the test split, or what folds say together.

    Also the values that the terminal shows, each as ``best/...``: those at the best epoch, of a sweep those of its
    winner, of a cv the means over its folds.
    """
    result = folder.result or {}
    metrics = aggregates(result) if result.get("kind") == "cv" else result.get("metrics") or {}
    known = {name for record in history for name in record}
    time = to_milliseconds(manifest["end"] or manifest["start"])
    epoch = history[-1]["epoch"] if history else 0
    last = {name: value for name, value in metrics.items() if name not in known}
    shown = {**(result.get("metrics") or {}), **winner_metrics(result)}
    best = {best_name(name): value for name, value in shown.items() if name.startswith(_OF_AN_EPOCH)}
    if history:
        best.pop(monitor(manifest, history).summary, None)  # sent with the epochs
    return [
        Point(clean_name(name), float(value), time, epoch)
        for name, value in {**last, **best}.items()
        if isinstance(value, int | float)
    ]


def aggregates(result: dict[str, Any]) -> dict[str, Any]:
    """Return a cv's mean, standard deviation and count over folds, and the metrics of its pooled predictions.

    Of several settings, best, mean, standard deviation and count over these.

    Their names differ from those of the folds, so that a list sorted by a metric shows the folds and not their mean.
    """
    if "settings" in result:
        return result["metrics"]
    means = {f"cv/{name.replace('/', '_')}_mean": value for name, value in result["mean"].items()}
    spreads = {f"cv/{name.replace('/', '_')}_std": value for name, value in result["std"].items()}
    pooled = {f"out_of_fold/{name}": value for name, value in result["out_of_fold"].items()}
    opened = result.get("test", {}).get("metrics", {})  # once the test part was opened by name
    return {**means, **spreads, **pooled, **opened, "cv/folds": len(result["folds"])}


def params(manifest: dict[str, Any]) -> dict[str, str]:
    """Return changed settings and group choices by config path."""
    stated = manifest.get("params") or {}
    return {clean_name(name): _text(value)[:_LONGEST_PARAM] for name, value in stated.items()}


def tags(
    folder: RunFolder, manifest: dict[str, Any], parent_run_id: str | None = None, note: str | None = None
) -> dict[str, str]:
    """Return the tags; those whose value is not known yet are left out.

    Args:
        folder: The run's.
        manifest: See `facts`.
        parent_run_id: MLflow's id of the sweep or cv that the run belongs to.
        note: See `dlexp.tracking.note`.
    """
    data, git, choices = manifest.get("data") or {}, manifest.get("git") or {}, manifest.get("params") or {}
    values = {
        "mlflow.parentRunId": parent_run_id,
        RUN_ID_TAG: folder.run_id,
        "dlexp.run_dir": str(folder.path),
        "dlexp.kind": manifest.get("kind"),
        "dlexp.status": manifest["status"],
        "dlexp.task": manifest.get("task"),
        "dlexp.data": data.get("name") or choices.get("data"),
        "dlexp.validated_on": manifest.get("validated_on"),
        "dlexp.model": choices.get("model") or _option(folder) or manifest.get("model"),
        "dlexp.device": manifest.get("device"),
        "dlexp.seed": manifest.get("seed"),
        "dlexp.num_params": manifest.get("num_params"),
        "dlexp.resumes": manifest.get("resumes", 0),
        "dlexp.from": manifest.get("from"),
        "dlexp.test_openings": manifest.get("test_openings", 0),
        "dlexp.git_dirty": git.get("dirty"),
        "mlflow.source.git.commit": git.get("commit"),
        "mlflow.source.name": manifest.get("command"),
        "mlflow.source.type": "LOCAL",
        "mlflow.user": manifest.get("user"),
        "mlflow.note.content": note,
    }
    return {name: _text(value) for name, value in values.items() if value is not None}


def _option(folder: RunFolder) -> str | None:
    """Return the option of a run's model, ``mlp`` for ``dlexp.model.mlp.MLP``; None where it cannot be told."""
    try:
        target = str((folder.config.get("model") or {}).get("_target_"))
    except RunError:
        return None
    return target.split(".")[2] if target.startswith("dlexp.model.") else None


def run_name(folder: RunFolder, manifest: dict[str, Any]) -> str:
    """Return a name that begins with what differs: lists cut names at about 20 characters."""
    slug = str(manifest.get("slug") or manifest.get("kind"))
    return f"{re.sub(r'(?<![0-9]e)-', ' ', slug)} {folder.run_id}"  # 4.6e-05 stays whole


def dataset(manifest: dict[str, Any]) -> dict[str, str] | None:
    """Return name, digest, source, profile and schema of the data in MLflow's form; None while they are unknown."""
    data = manifest.get("data") or {}
    if not data.get("name") or not data.get("fingerprint"):
        return None
    profile = {name: value for name, value in data.items() if name.startswith("num_")}
    described = {
        "name": data["name"],
        "digest": str(data["fingerprint"])[:16],
        "source_type": "dlexp",
        "source": json.dumps({"option": data["name"]}),
        "profile": json.dumps(profile),
    }
    tensors = signature(manifest)
    if tensors is not None:
        schema = {"features": tensors["inputs"], "targets": None}
        described["schema"] = json.dumps({"mlflow_tensorspec": schema})
    return described


def signature(manifest: dict[str, Any]) -> dict[str, Any] | None:
    """Return the model's signature in MLflow's form, from the manifest's `in_shape` and `num_outputs`."""
    if not manifest.get("in_shape") or not manifest.get("num_outputs"):
        return None
    shapes = {"inputs": [-1, *manifest["in_shape"]], "outputs": [-1, manifest["num_outputs"]]}
    specs = {
        key: json.dumps([{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": shape}}])
        for key, shape in shapes.items()
    }
    return {**specs, "params": None}


def artifacts(folder: RunFolder, *, weights: bool) -> Iterator[tuple[Path, str]]:
    """Yield the files to send and the artifact folder of each."""
    for name in _FILES:
        yield folder.path / name, ""
    for page in sorted(folder.path.glob("report.*")):
        yield page, ""
    for figure in sorted(folder.figures.glob("*")):
        yield figure, "figures"
    for predictions in sorted((folder.path / "predictions").glob("*.npz")):
        if predictions.stat().st_size <= _BIGGEST_PREDICTIONS:
            yield predictions, "predictions"
    if weights:
        yield folder.checkpoints / "best" / "weights.safetensors", "model"


@cache
def clean_name(name: str) -> str:
    """Return a name that MLflow takes: letters, digits and ``_-. :/`` only."""
    return re.sub(r"[^A-Za-z0-9_\-. :/]", "_", name)[:250]


def _text(value: Any) -> str:
    return redact(value if isinstance(value, str) else json.dumps(value))
