"""The end of a run: its best weights evaluated once more, predictions, figures and the result written."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dlexp import metric
from dlexp.engine import checkpoint
from dlexp.engine.evaluate import predict, report
from dlexp.engine.event import TrialEnd
from dlexp.job.assemble import Assembled
from dlexp.job.intact import reseal
from dlexp.random import generator
from dlexp.report.attempt import attempt
from dlexp.tracker.folder import RunFolder
from dlexp.tracker.plain import plain

SHEET_IMAGES = 16
Report = dict[str, dict[str, Any]]


def conclude(
    built: Assembled, folder: RunFolder, end: TrialEnd, *, seed: int, open_test: bool, has_figures: bool = True
) -> dict[str, Any]:
    """Evaluate what a run ended with and write its result.

    Args:
        built: Data, model, device.
        folder: The run's folder.
        end: How training ended.
        seed: The run's seed.
        open_test: Evaluate the test part too, which is counted; not for an interrupted run.
        has_figures: Draw figures; the folds of a cross-validation go without.

    Returns:
        What ``--json`` prints; in `metrics` the best epoch's values, and what only the end computes.
    """
    run = built.run
    result = describe(built, folder, seed) | {
        "status": end.status,
        "epochs": run.epoch,
        "best_epoch": end.best_epoch,
        "seconds": round(run.elapsed, 3),
    }
    metrics: dict[str, Any] = {}
    by_class: Report = {}
    if end.best_epoch:
        best = next(record for record in folder.history() if record["epoch"] == end.best_epoch)
        metrics = {key: value for key, value in best.items() if "/" in key}
    if end.best_epoch and end.status != "interrupted":
        # Counted before it is opened: a kill in between must not leave an opening uncounted.
        folder.update_manifest(test_openings=folder.manifest["test_openings"] + open_test)
        for split, (scalars, rest) in evaluate_best(built, folder, open_test=open_test).items():
            metrics |= {f"{split}/{name}": value for name, value in scalars.items()}
            by_class[split] = rest
    result = plain(result | {"metrics": metrics, "report": by_class})
    folder.write_result(result)
    if has_figures and by_class:
        attempt(lambda: draw_figures(built, folder), folder.log)
    return result


def describe(built: Assembled, folder: RunFolder, seed: int) -> dict[str, Any]:
    """Return the part of a result that is known before training."""
    data = built.dataset
    return {
        "kind": "train",
        "run_id": folder.run_id,
        "run_dir": str(folder.path),
        "task": data.task,
        "device": str(built.device),
        "seed": seed,
        "num_params": sum(p.numel() for p in built.model.parameters()),
        "data": {
            **folder.manifest["data"],
            "num_train": len(data.train),
            "num_val": len(data.val),
            "num_test": len(data.test),
        },
    }


def evaluate_best(
    built: Assembled, folder: RunFolder, *, open_test: bool
) -> dict[str, tuple[dict[str, float], dict[str, Any]]]:
    """Load the best checkpoint, store its predictions and return scalars and report of each part opened.

    The validation part where there is one, the test part only when it is opened by name.
    """
    weights, _ = checkpoint.load(folder.checkpoints / "best", built.device)
    built.run.step.forward.load_weights(0, weights)
    parts = {"val": built.dataset.val} | ({"test": built.dataset.test} if open_test else {})
    return {split: evaluate_part(built, folder, split, rows) for split, rows in parts.items() if len(rows)}


def evaluate_part(
    built: Assembled, folder: RunFolder, split: str, rows: Tensor
) -> tuple[dict[str, float], dict[str, Any]]:
    """Store the predictions of a part and return its scalars, and the report by class."""
    run, data = built.run, built.dataset
    outputs = predict(run.step.forward, run.task, [rows], run.trainer.eval_batch_size)
    targets = data.targets[rows].to(outputs.device).unsqueeze(0)
    stored = outputs[0].cpu() if data.num_classes else outputs[0, :, 0].cpu()
    folder.write_predictions(split, data.sample_ids(rows), data.targets[rows].numpy(), stored.numpy())
    reseal(folder, f"predictions/{split}.npz")
    found = report(outputs, targets, run.step.rules.loss, data.num_classes, run.task.unit)
    scalars = {name: float(value) for name, value in found.items() if value.dim() == 1}
    by_class = {name: _by_class(value[0], data.class_names) for name, value in found.items() if value.dim() > 1}
    return scalars, by_class


def _by_class(values: Tensor, class_names: list[str]) -> Any:
    """Return (K,) values by name of the class, (K, K) counts as lists of rows."""
    return values.tolist() if values.dim() > 1 else dict(zip(class_names, values.tolist(), strict=True))


def draw_figures(built: Assembled, folder: RunFolder) -> list[Path]:
    """Draw learning curves, what the validation predictions show, and what the augmentation does."""
    from dlexp.report import curve

    drawn = [curve.draw(folder.history(), folder.figures / "curves.png")]
    if len(built.dataset.val):
        drawn += _draw_classes(built, folder) if built.dataset.class_names else _draw_values(folder)
    augment = built.run.task.augments[0]
    if augment is not None and built.dataset.is_image:
        drawn.append(_draw_augmented(built, augment, folder.figures / "augment.png"))
    return drawn


def _draw_classes(built: Assembled, folder: RunFolder) -> list[Path]:
    from dlexp.report import confusion, roc

    names, kept = built.dataset.class_names, folder.predictions("val")
    targets = torch.from_numpy(kept["target"]).unsqueeze(0)
    outputs = torch.from_numpy(kept["output"]).unsqueeze(0)
    counts = metric.confusion_matrix(outputs, targets, len(names))[0]
    return [
        confusion.draw(counts.numpy(), names, folder.figures / "confusion.png"),
        roc.draw(outputs[0], targets[0], names, folder.figures / "roc.png"),
    ]


def _draw_values(folder: RunFolder) -> list[Path]:
    from dlexp.report import residual

    kept = folder.predictions("val")
    return [residual.draw(kept["target"], kept["output"], folder.figures / "residuals.png")]


def _draw_augmented(built: Assembled, augment: Any, path: Path) -> Path:
    from dlexp.augment.sheet import contact_sheet

    data, draws = built.dataset, generator(built.run.seeds[0].augment, "sheet")
    # from all over the training part: files come ordered by class
    rows = data.train[torch.linspace(0, len(data.train) - 1, SHEET_IMAGES).long()]
    contact_sheet(data.inputs[rows], data.targets[rows], augment, path, draws)
    return path
