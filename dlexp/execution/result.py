"""The end of a run: its best weights evaluated once more, predictions, figures and the result written."""

from typing import Any

import torch
from torch import Tensor

from dlexp.build.program import Program
from dlexp.data.fact.guess import guess
from dlexp.data.fact.neighbor import neighbors
from dlexp.engine import checkpoint
from dlexp.engine.answer.answer import Reading
from dlexp.engine.evaluate import choose_threshold, predict, report
from dlexp.engine.event import TrialEnd
from dlexp.engine.stopping import Stopping
from dlexp.execution.description import describe_parts, describe_run
from dlexp.execution.figure import draw_figures
from dlexp.execution.integrity import checksums, update_checksum
from dlexp.figure.attempt import attempt
from dlexp.run.document import ClassReport, TrainData, TrainResult
from dlexp.run.environment import now
from dlexp.run.folder import RunFolder
from dlexp.run.jsonable import plain
from dlexp.run.measure import FILE, write_threshold
from dlexp.type import Metrics


def conclude_run(
    built: Program, folder: RunFolder, end: TrialEnd, *, seed: int, open_test: bool, has_figures: bool = True
) -> TrainResult:
    """Evaluate what a run ended with and write its result.

    Args:
        built: Data, model, device.
        folder: The run's folder.
        end: How training ended.
        seed: The run's seed.
        open_test: Evaluate the test part too, which is counted; not for an interrupted run.
        has_figures: Draw figures, and say what neighbours score; the folds of a cross-validation go without.

    Returns:
        What ``--json`` prints; in `metrics` the best epoch's values, and what only the end computes.
    """
    run, data = built.run, built.dataset
    recorded: TrainData = folder.manifest["data"]
    metrics: Metrics = {}
    by_class: dict[str, ClassReport] = {}
    if end.best_epoch:
        best = next(record for record in folder.history() if record["epoch"] == end.best_epoch)
        metrics = {key: value for key, value in best.items() if "/" in key}
    if end.best_epoch and end.status != "interrupted":
        # Counted before it is opened: a kill in between must not leave an opening uncounted.
        folder.update_manifest(test_openings=folder.manifest["test_openings"] + open_test)
        for split, (scalars, rest) in evaluate_best(built, folder, open_test=open_test).items():
            metrics |= {f"{split}/{name}": value for name, value in scalars.items()}
            by_class[split] = rest
    beside = _neighbors(built) if has_figures and end.best_epoch and end.status != "interrupted" else {}
    result: TrainResult = {
        "kind": "train",
        "run_id": folder.run_id,
        "run_dir": str(folder.path),
        "task": data.task,
        "device": str(built.device),
        "seed": seed,
        "own_metrics": run.task.metrics.names,
        "metric": run.monitor,
        "guess": guess(data),
        "num_params": sum(p.numel() for p in built.model.parameters()),
        "data": {**recorded, **describe_parts(data, data.train, data.val)},
        "status": end.status,
        "epochs": run.epoch,
        "best_epoch": end.best_epoch,
        "seconds": round(run.elapsed, 3),
        "metrics": metrics,
        "report": by_class,
    }
    if beside:
        result["neighbors"] = beside
    result = plain(result)
    folder.write_result(result)
    if has_figures and by_class:
        attempt(lambda: draw_figures(built, folder), folder.log)
    return result


def _neighbors(built: Program) -> Metrics:
    """Return what the nearest neighbours score on the run's validation part; empty where that is off, or slow."""
    if built.run.trainer.baseline == "off":
        return {}
    affine = built.affine.to("cpu")
    return neighbors(built.dataset, lambda rows: affine.apply(rows, dtype=torch.float64))


def evaluate_best(
    built: Program, folder: RunFolder, *, open_test: bool
) -> dict[str, tuple[dict[str, float], ClassReport]]:
    """Load the best checkpoint, store its predictions and return scalars and report of each part opened.

    The validation part where there is one, the test part only when it is opened by name.
    """
    weights, _ = checkpoint.load(folder.checkpoints / "best", built.device)
    built.run.step.forward.load_weights(0, weights)
    note_threshold(built, folder)
    parts = {"val": built.dataset.val} | ({"test": built.dataset.test} if open_test else {})
    return {split: evaluate_part(built, folder, split, rows) for split, rows in parts.items() if len(rows)}


def note_threshold(built: Program, folder: RunFolder) -> None:
    """Write down the threshold that the program's weights have on training pairs; nothing for other tasks."""
    run = built.run
    if run.task.similarity is not None:
        threshold_11 = choose_threshold(run.step.forward, run.task, run.eval_batch_size)
        write_threshold(folder, threshold_11.item())
        update_checksum(folder, FILE)


def evaluate_part(built: Program, folder: RunFolder, split: str, rows: Tensor) -> tuple[dict[str, float], ClassReport]:
    """Store the predictions of a part and return its scalars, and the report by class."""
    run, data = built.run, built.dataset
    outputs = predict(run.step.forward, run.task, [rows], run.eval_batch_size)
    targets = data.targets[rows].to(outputs.device).unsqueeze(0)
    stored = run.task.answer.stored(outputs[0].cpu())
    folder.write_predictions(split, data.sample_ids(rows), data.targets[rows].numpy(), stored.numpy())
    update_checksum(folder, f"predictions/{split}.npz")
    metrics = report(outputs, targets, Reading.of(run.task, run.step.rules.loss))
    scalars = {name: float(value) for name, value in metrics.items() if value.dim() == 1}
    return scalars, _by_class(metrics, data.class_names) if data.num_classes else {}


def _by_class(metrics: dict[str, Tensor], class_names: list[str]) -> ClassReport:
    """Return what is known of each class: of (1, K) values by its name, of (1, K, K) counts as rows."""

    def named(name: str) -> Metrics:
        return dict(zip(class_names, metrics[name][0].tolist(), strict=True))

    return {
        "precision_class": named("precision_class"),
        "recall_class": named("recall_class"),
        "f1_class": named("f1_class"),
        "fbeta_class": named("fbeta_class"),
        "roc_auc_class": named("roc_auc_class"),
        "support_class": named("support_class"),
        "confusion": metrics["confusion"][0].tolist(),
    }


def best_record(history: list[dict[str, Any]], monitor: dict[str, Any]) -> dict[str, Any] | None:
    """Return the record of the epoch that the run itself would call its best; None without any."""
    stopping = Stopping(monitor["mode"] == "max", None, monitor.get("min_delta", 0.0))
    best = None
    for record in history:
        if stopping.observe(record.get(monitor["metric"], float("nan")), record["epoch"]):
            best = record
    return best


@torch.no_grad()
def store_predictions(built: Program, folder: RunFolder) -> None:
    """Store what the best checkpoint gives for the validation part, if there is one."""
    data, run = built.dataset, built.run
    weights, _ = checkpoint.load(folder.checkpoints / "best", built.device)
    run.step.forward.load_weights(0, weights)
    note_threshold(built, folder)
    if not len(data.val):
        return
    outputs = predict(run.step.forward, run.task, [data.val], run.eval_batch_size)[0].cpu()
    stored = run.task.answer.stored(outputs)
    folder.write_predictions("val", data.sample_ids(data.val), data.targets[data.val].numpy(), stored.numpy())


def conclude_trial(
    built: Program, folder: RunFolder, config: dict[str, Any], status: str, reason: str, paused_at: int | None
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
    if best is not None and checkpoint.exists(folder.checkpoints / "best"):
        store_predictions(built, folder)
    about = describe_run(built, config)
    del about["monitor"], about["test_openings"]
    result: TrainResult = {
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
    folder.update_manifest(**about, **ending, sealed=checksums(folder))
