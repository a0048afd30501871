"""A run's best checkpoint on the validation part, or on the sealed test part, whose openings are counted.

The models of a cross-validation, or of an ensemble, are evaluated together: validated by the stored predictions, of
which each was made by models that did not see the example, tested by the mean of their probabilities, or values.
"""

from pathlib import Path

import torch

from dlexp.build.check import check_test
from dlexp.build.dataset import load_data
from dlexp.build.objective import build_metrics
from dlexp.build.place import on_device
from dlexp.build.program import Program, assemble
from dlexp.data.dataset import Dataset
from dlexp.data.fact.positive import positive_fact
from dlexp.engine import checkpoint
from dlexp.engine.answer.choice import answer_of
from dlexp.error import ConfigError, RunError
from dlexp.execution.description import as_divided
from dlexp.execution.integrity import require_same_data
from dlexp.execution.result import evaluate_part
from dlexp.job.again import named_inside
from dlexp.job.inference.document import Evaluation, FoldScore, OpenedTest, Scores
from dlexp.job.inference.ensemble import Averaged, average, mean_of_folds, report
from dlexp.job.inference.unwritten import Unwritten, is_writable
from dlexp.run import scan
from dlexp.run.folder import RunFolder
from dlexp.run.jsonable import plain
from dlexp.run.measure import pooled, read_measure
from dlexp.run.stored import stored_config
from dlexp.tracking import mlflow
from dlexp.tracking.sent import Sent
from dlexp.type import Metrics

KINDS = ("train", "trial", "fold")


def evaluate(
    ref: str, runs_dir: Path, split: str, device: str | None = None, averaged: Averaged | None = None
) -> Evaluation:
    """Evaluate a run, store the predictions and return what ``dlexp eval --json`` prints.

    Of a folder that may only be read nothing is stored, an opening of the test part neither; a warning says so.

    Args:
        ref: Run id, unique prefix, folder or last.
        runs_dir: Folder of all runs.
        split: "val" or "test".
        device: Where to compute; None takes the run's `trainer.device`.
        averaged: The models of an ensemble; None for runs and cvs.

    Raises:
        RunError: No such run, it has no checkpoint, or another process has it.
        DataError: The data are not those of the run.
        ConfigError: There is no test part.
    """
    folder = scan.find(runs_dir, ref)
    kind = folder.manifest["kind"]
    if kind == "cv":
        averaged = mean_of_folds(folder)
    if kind not in KINDS and averaged is None:
        raise RunError(f"{ref}: got {named_inside(folder)}")
    is_stored = is_writable(folder)
    folder = folder if is_stored else Unwritten(folder.path)
    folder.lock()
    try:
        if averaged is None:
            scores = _evaluate_run(folder, split, device)
        else:
            scores = _evaluate_together(folder, averaged, split, device)
        warning = _tell_mlflow(folder, split) if is_stored else _unwritten(split)
    finally:
        folder.unlock()
    evaluation: Evaluation = {
        "kind": "eval",
        "run_id": folder.run_id,
        "run_dir": str(folder.path),
        "split": split,
        "metric": _judged_by(folder),
        **scores,
        "predictions": str(folder.path / "predictions" / f"{split}.npz") if is_stored else None,
        "warnings": [warning] if warning else [],
    }
    return plain(evaluation)


def _judged_by(folder: RunFolder) -> str:
    """Return the metric that a run, or the cv of a fold, is judged by."""
    monitor = folder.manifest.get("monitor")
    if monitor is None and folder.parent is not None:
        return _judged_by(folder.parent)
    return "" if monitor is None else monitor["metric"]


def _unwritten(split: str) -> str:
    counted = ", and this opening of the test part is not counted" if split == "test" else ""
    return f"the run's folder may only be read: nothing is stored in it{counted}"


def _evaluate_run(folder: RunFolder, split: str, device: str | None) -> Scores:
    checkpoint.load(folder.checkpoints / "best")  # a run that lacks it is not worth loading data for
    config = on_device(stored_config(folder), device)
    built = assemble(config, as_divided(folder, load_data(config)))
    require_same_data(folder, built.dataset)
    check_test(built.dataset, split == "test")
    if not len(getattr(built.dataset, split)):
        raise ConfigError(f"--split: got {split}; run {folder.run_id} was trained on it too (train_on=train+val)")
    return _score(folder, built, split)


def _score(folder: RunFolder, built: Program, split: str) -> Scores:
    data = built.dataset
    weights, _ = checkpoint.load(folder.checkpoints / "best", built.device)
    built.run.step.forward.load_weights(0, weights)
    openings = _count_opening(folder, split)
    rows = getattr(data, split)
    scalars, by_class = evaluate_part(built, folder, split, rows)
    return {
        "num_examples": len(rows),
        "metrics": {f"{split}/{name}": value for name, value in scalars.items()},
        "confusion_matrix": by_class.pop("confusion", None),
        "report": by_class,
        "class_names": data.class_names,
        **positive_fact(data),
        "openings": openings,
    }


def _evaluate_together(folder: RunFolder, averaged: Averaged, split: str, device: str | None) -> Scores:
    """Evaluate the models of a cv or an ensemble together, and on the test part each by itself too."""
    sources = [source for source, _ in averaged.models]
    config = stored_config(sources[0])
    dataset = load_data(config)
    require_same_data(folder, dataset)
    check_test(dataset, split == "test")
    openings = _count_opening(folder, split)
    singles = _test_each(folder, averaged, dataset, device) if split == "test" else []
    stored = folder.predictions(split)
    outputs, targets = torch.from_numpy(stored["output"]), torch.from_numpy(stored["target"])
    measure, user_metrics = (
        pooled([read_measure(source) for source in sources]),
        build_metrics(config, dataset),
    )
    scalars, confusion = report(outputs, targets, answer_of(dataset), measure, user_metrics)
    metrics: Metrics = {f"{split}/{name}": value for name, value in scalars.items()}
    if split == "test":
        opened: OpenedTest = {"models": len(sources), "metrics": metrics, "openings": openings, "folds": singles}
        folder.write_result({**(folder.result or {}), "test": plain(opened)})
    return {
        "num_examples": len(stored["id"]),
        "models": len(sources),
        "metrics": metrics,
        "confusion_matrix": confusion,
        "report": {},
        "class_names": dataset.class_names,
        **positive_fact(dataset),
        "folds": singles,
        "openings": openings,
    }


def _test_each(folder: RunFolder, averaged: Averaged, dataset: Dataset, device: str | None) -> list[FoldScore]:
    """Evaluate each model on the test part; store the mean of what they say as predictions of the cv or ensemble."""
    records: list[FoldScore] = []
    outputs, links = [], []
    for source, _ in averaged.models:
        config = on_device(stored_config(source), device)
        scores = _score(source, assemble(config, as_divided(source, dataset)), "test")
        record: FoldScore = {"run_id": source.run_id, "metrics": scores["metrics"]}
        if source.manifest["kind"] == "fold":
            record["repeat"], record["fold"] = config["fold"]["repeat"], config["fold"]["fold"]
        records.append(record)
        outputs.append(torch.from_numpy(source.predictions("test")["output"]))
        links.append(read_measure(source).link)
    stored = averaged.models[0][0].predictions("test")
    mean = average(outputs, dataset.num_classes, links, [weight for _, weight in averaged.models], dataset.heads)
    folder.write_predictions("test", stored["id"], stored["target"], mean.numpy())
    return records


def _count_opening(folder: RunFolder, split: str) -> int:
    """Return how often the test part was opened, this time included.

    Counted before it is opened: a kill in between must not leave an opening uncounted.
    """
    openings = folder.manifest["test_openings"] + (split == "test")
    folder.update_manifest(test_openings=openings)
    folder.log(f"evaluated on {split}")
    return openings


def _tell_mlflow(folder: RunFolder, split: str) -> str | None:
    """Send a run that MLflow knows once more, so that the opening is counted there too; return what went wrong."""
    if split != "test" or not Sent.exists(folder):
        return None
    for child in folder.children():
        sent = Sent.read(child)
        sent.status = None  # its tags changed
        sent.write(child)
    return mlflow.start(folder, (folder.parent or folder).config["tracking"]).finish()
