"""The end of a run: its best weights evaluated once more, predictions, figures and the result written."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dlexp import metric
from dlexp.engine import checkpoint
from dlexp.engine.evaluate import predict, score
from dlexp.job.assemble import Assembled
from dlexp.tracker.folder import RunFolder


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
            "name": data.name,
            "num_train": len(data.train),
            "num_val": len(data.val),
            "num_test": len(data.test),
            "fingerprint": data.fingerprint,
        },
    }


def evaluate_best(built: Assembled, folder: RunFolder, *, open_test: bool) -> dict[str, float]:
    """Load the best checkpoint, store its predictions and return its metrics, ``test/…`` only when opened by name."""
    weights, _ = checkpoint.load(folder.checkpoints / "best", built.device)
    built.run.forward.load_weights(0, weights)
    parts = {"val": built.dataset.val} | ({"test": built.dataset.test} if open_test else {})
    found: dict[str, float] = {}
    for split, rows in parts.items():
        if not len(rows):
            continue
        found |= {f"{split}/{name}": value for name, value in _evaluate_part(built, folder, split, rows).items()}
    return found


def _evaluate_part(built: Assembled, folder: RunFolder, split: str, rows: Tensor) -> dict[str, float]:
    run, data = built.run, built.dataset
    outputs = predict(run.forward, run.task.feed, run.task.prepare, rows, run.trainer.eval_batch_size)
    targets = data.targets[rows].to(outputs.device).unsqueeze(0)
    scores = score(outputs, targets, run.step.rules.loss, data.num_classes)
    stored = outputs[0].cpu() if data.num_classes else outputs[0, :, 0].cpu()
    folder.write_predictions(split, data.sample_ids(rows), data.targets[rows].numpy(), stored.numpy())
    return {name: float(value) for name, value in scores.items()}


def draw_figures(built: Assembled, folder: RunFolder) -> list[Path]:
    """Draw the learning curves and, for classes, the confusion matrix of the validation part."""
    from dlexp.report import confusion, curve

    drawn = [curve.draw(folder.history(), folder.figures / "curves.png")]
    names = built.dataset.class_names
    if names:
        kept = folder.predictions("val")
        targets = torch.from_numpy(kept["target"]).unsqueeze(0)
        outputs = torch.from_numpy(kept["output"]).unsqueeze(0)
        counts = metric.confusion_matrix(outputs, targets, len(names))[0]
        drawn.append(confusion.draw(counts.numpy(), names, folder.figures / "confusion.png"))
    return drawn
