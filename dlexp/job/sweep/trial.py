"""One trial of a sweep: what was asked, and how it ended, read from its folder alone."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from dlexp.build.program import Assembled
from dlexp.config.compose import Composed
from dlexp.data.dataset import Dataset
from dlexp.engine import checkpoint
from dlexp.engine.evaluate import predict
from dlexp.engine.stopping import Stopping
from dlexp.execution.integrity import seal
from dlexp.job.train.train import describe
from dlexp.run.environment import now
from dlexp.run.folder import RunFolder
from dlexp.search.strategy import Proposal

FOLDER = "trials"
WHOLE = ("finished", "stopped_early")
ENDED = (*WHOLE, "diverged", "failed")


@dataclass(frozen=True)
class Trial:
    """One training run that a search asked for.

    Attributes:
        id: Names it and its folder.
        proposal: What was asked.
        seed: The replicate; None for the configuration's seed.
        composed: Its configuration.
        dataset: Its data.
    """

    id: str
    proposal: Proposal
    seed: int | None
    composed: Composed
    dataset: Dataset

    @property
    def overrides(self) -> dict[str, Any]:
        """The setting, with the seed where seeds are replicates."""
        return self.proposal.settings | ({} if self.seed is None else {"seed": self.seed})


@dataclass(frozen=True)
class Outcome:
    """How a trial ended, or where it paused.

    Attributes:
        status: finished, stopped_early (by itself or by the search), diverged or failed.
        value: The metric at its best epoch; None where there is none.
        metrics: All metrics of that epoch.
        epochs: Epochs done.
        seconds: Of training.
        folder: Where it is.
        reason: Why it failed.
    """

    status: str
    value: float | None
    metrics: dict[str, float]
    epochs: int
    seconds: float
    folder: RunFolder
    reason: str = ""


def outcome(folder: RunFolder, metric: str, until: int | None = None) -> Outcome | None:
    """Return how a trial ended, from its folder alone; None when there is something left to train.

    Args:
        folder: The trial's.
        metric: The objective.
        until: Epoch at which it was to pause: what came later, if it went on, is not looked at.
    """
    manifest, history = folder.manifest, folder.history()
    status, paused_at = manifest["status"], manifest.get("paused_at")
    if until is not None and len(history) >= until and (status in ENDED or (paused_at or 0) >= until):
        status, history = ("stopped_early" if status != "finished" else status), history[:until]
    elif status not in ENDED or paused_at is not None:
        return None
    best = best_record(history, manifest["monitor"])
    value = None if best is None else best.get(metric)
    seconds = sum(record["seconds"] for record in history)
    metrics = {} if best is None else {key: number for key, number in best.items() if "/" in key}
    return Outcome(status, value, metrics, len(history), seconds, folder, manifest.get("reason", ""))


def best_record(history: list[dict[str, Any]], monitor: dict[str, Any]) -> dict[str, Any] | None:
    """Return the record of the epoch that the run itself would call its best; None without any."""
    stopping = Stopping(monitor["mode"] == "max", None, monitor.get("min_delta", 0.0))
    best = None
    for record in history:
        if stopping.observe(record.get(monitor["metric"], float("nan")), record["epoch"]):
            best = record
    return best


def by_id(sweep: Path) -> dict[str, Path]:
    """Return the trial folders of a sweep by the id that their names begin with."""
    return {path.name.partition("-")[0]: path for path in sorted((sweep / FOLDER).glob("*-*"))}


def conclude(
    built: Assembled, folder: RunFolder, config: dict[str, Any], status: str, reason: str, paused_at: int | None
) -> None:
    """Store the best epoch's predictions and the result, then the status: an ended trial is a complete one.

    Args:
        built: A program of one trial of the same structure and data.
        folder: The trial's.
        config: Its configuration.
        status: How it ended.
        reason: Why, for the user.
        paused_at: Epoch at which it waits to be gone on with; None when it is over.
    """
    history = folder.history()
    best = best_record(history, folder.manifest["monitor"])
    if best is not None and len(built.dataset.val) and checkpoint.exists(folder.checkpoints / "best"):
        _store_predictions(built, folder)
    about = describe(built, config)
    del about["monitor"], about["test_openings"]
    result = {
        "kind": "trial",
        "run_id": folder.run_id,
        "run_dir": str(folder.path),
        "status": status,
        "task": about["task"],
        "device": str(built.device),
        "seed": config["seed"],
        "epochs": len(history),
        "best_epoch": 0 if best is None else best["epoch"],
        "metrics": {} if best is None else {key: value for key, value in best.items() if "/" in key},
        "num_params": about["num_params"],
        "seconds": round(sum(record["seconds"] for record in history), 3),
        "data": about["data"],
    }
    folder.write_result(result)
    ending = {"status": status, "reason": reason, "paused_at": paused_at, "end": now()}
    folder.update_manifest(**about, **ending, sealed=seal(folder))


@torch.no_grad()
def _store_predictions(built: Assembled, folder: RunFolder) -> None:
    data, run = built.dataset, built.run
    weights, _ = checkpoint.load(folder.checkpoints / "best", built.device)
    run.step.forward.load_weights(0, weights)
    outputs = predict(run.step.forward, run.task, [data.val], run.trainer.eval_batch_size)[0].cpu()
    stored = outputs if data.num_classes else outputs[:, 0]
    folder.write_predictions("val", data.sample_ids(data.val), data.targets[data.val].numpy(), stored.numpy())
