"""`dlexp ensemble`: chooses which models to average, says what that is worth, and writes the ensemble as a run.

Shapes: M models, N held-out predictions, K classes (1 for values).
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dlexp.direction import is_better_high
from dlexp.error import ConfigError, did_you_mean
from dlexp.job.ensemble.document import EnsembleResult, Member, SplitRecord
from dlexp.job.ensemble.greedy import Rule, choose
from dlexp.job.ensemble.library import Library, read
from dlexp.job.ensemble.member import KIND, parse_places
from dlexp.job.ensemble.nested import Nested, nest
from dlexp.job.ensemble.worth import value_of, weigh
from dlexp.job.outcome import OnOutcome, Outcome, ignore, recorded
from dlexp.number import noun
from dlexp.run.environment import now
from dlexp.run.folder import RunFolder
from dlexp.run.jsonable import plain, sealed
from dlexp.run.measure import FILE, read_class_names
from dlexp.run.status import Status
from dlexp.statistic import score
from dlexp.tracking import mlflow

EPOCHS = "the best epoch of models was chosen on these examples too, which flatters them; the sealed test part does not"

SINGLE = "a single model was chosen: on these examples no mean with another is better"
FEW = 50  # held-out examples


@dataclass(frozen=True)
class Wish:
    """What the user asked for.

    Attributes:
        metric: That the choice optimises, with or without part; None takes log_loss or rmse.
        steps: See `Rule`.
        start: See `Rule`.
        bags: See `Rule`.
        heaps: Into how many the examples are dealt for scoring; None takes the default, or the folds of the cvs.
    """

    metric: str | None = None
    steps: int = 50
    start: int = 1
    bags: int = 0
    heaps: int | None = None


def start(
    refs: list[str],
    runs_dir: Path,
    wish: Wish,
    tell: Callable[[int, int], None] = lambda done, total: None,
    show: OnOutcome = ignore,
) -> Outcome[EnsembleResult]:
    """Choose an ensemble, score it, and write it as a run.

    Args:
        refs: Runs, sweeps and cvs that it is chosen from, as users name them; places are allowed.
        runs_dir: Folder of all runs.
        wish: How.
        tell: Told how many choices are made, and how many there are.
        show: Told the outcome before MLflow is waited for.

    Raises:
        RunError: No such run, or models that were validated on different examples.
        ConfigError: No such metric.
    """
    began = time.perf_counter()
    library = read(refs, runs_dir)
    rule = Rule(_metric(library, wish.metric), wish.steps, wish.start, wish.bags)
    nested = nest(library, rule, wish.heaps, tell)
    weights_M = choose(library.answers_MNK, library.targets_N, rule, library.measure)
    folder, tracking = _create(library, runs_dir, rule, refs, wish)
    with recorded(folder):
        outputs = nested.ensemble_NK if library.is_classes else nested.ensemble_NK[:, 0]
        folder.write_predictions("val", library.ids_N, library.targets_N, outputs)
        names = read_class_names(_trained(library.sides[0].folder))
        about = {"task": library.sides[0].task, "class_names": names, "measure": asdict(library.measure)}
        folder.write(FILE, sealed(about))
        result = _result(folder, library, rule, nested, weights_M, _notes(library, refs, weights_M))
        result["choosing_seconds"] = round(time.perf_counter() - began, 3)
        document: EnsembleResult = plain(result)
        folder.write_result(document)
        folder.update_manifest(status=Status.FINISHED, end=now())
    outcome = Outcome(document, 0, document["notes"])
    show(outcome)
    sending = mlflow.start(folder, tracking)
    folder.unlock()
    return outcome.warned(sending.finish())


def _metric(library: Library, wanted: str | None) -> str:
    known = score.names(library.said_MNK.shape[2] if library.is_classes else 0)
    if wanted is None:
        return "log_loss" if library.is_classes else "rmse"
    name = wanted.removeprefix("val/")
    if name not in known:
        raise ConfigError(f"--metric: got {wanted}; choose one of {', '.join(known)}{did_you_mean(name, known)}")
    return name


def _create(
    library: Library, runs_dir: Path, rule: Rule, refs: list[str], wish: Wish
) -> tuple[RunFolder, dict[str, Any]]:
    first = library.sides[0].folder
    manifest, judged = first.manifest, "val/accuracy" if library.is_classes else "val/rmse"
    tracking = {"_target_": mlflow.NONE, **(first.config.get("tracking") or {})}
    whole = first if first.parent is None else first.parent
    described = {
        "kind": KIND,
        "seed": 0,
        "device": "cpu",
        "task": library.sides[0].task,
        "params": {"ensemble.metric": rule.metric, "ensemble.models": len(library.sides)},
        "data": {name: manifest["data"][name] for name in ("name", "fingerprint")},
        "validated_on": manifest.get("validated_on"),
        "test_openings": 0,
        "monitor": {"metric": judged, "mode": "max" if is_better_high(judged) else "min"},
    }
    config = {"tracking": tracking, "ensemble": {"runs": refs, **asdict(wish)}}
    experiment = str(whole.manifest.get("experiment") or manifest["data"]["name"])
    slug = f"ensemble-of-{len(library.sides)}"
    folder = RunFolder.create(runs_dir, experiment, slug, config=config, overrides=[], manifest=described)
    return folder, tracking


def _result(
    folder: RunFolder, library: Library, rule: Rule, nested: Nested, weights_M: np.ndarray, notes: list[str]
) -> EnsembleResult:
    names = score.names(library.said_MNK.shape[2] if library.is_classes else 0)
    judged = ["accuracy", "log_loss"] if library.is_classes else ["rmse"]
    side = library.as_side("ensemble", nested.ensemble_NK)
    first = library.sides[0]
    return {
        "kind": KIND,
        "run_id": folder.run_id,
        "run_dir": str(folder.path),
        "status": "finished",
        "task": first.task,
        "data": folder.manifest["data"],
        "metric": f"val/{judged[0]}",
        "chosen_by": f"val/{rule.metric}",
        "steps": rule.steps,
        "begin": rule.start,
        "bags": rule.bags,
        "choices": len(nested.weights),
        "paired": "cv" if library.is_cv else "train",
        "num_models": len(library.sides),
        "num_examples": len(np.unique(library.ids_N)),
        "members": _members(library, rule.metric, nested, weights_M),
        "scores": [weigh(library, name, nested, weights_M) for name in dict.fromkeys([*judged, rule.metric])],
        "metrics": {f"val/{name}": value_of(side, name) for name in names},
        "splits": _splits(library),
        "notes": notes,
        "choosing_seconds": 0.0,
    }


def _members(library: Library, metric: str, nested: Nested, weights_M: np.ndarray) -> list[Member]:
    """Return the models that were chosen, the heaviest first."""
    order = [int(m) for m in np.argsort(-weights_M, kind="stable") if weights_M[m] > 0]
    return [
        {
            "run_id": library.sides[m].folder.run_id,
            "run_dir": str(library.sides[m].folder.path),
            "label": library.names[m],
            "weight": float(weights_M[m]),
            "value": value_of(library.as_side("", library.said_MNK[m]), metric),
            "chosen": float(np.mean([each[m] > 0 for each in nested.weights])),
        }
        for m in order
    ]


def _splits(library: Library) -> list[SplitRecord]:
    records: list[SplitRecord] = []
    for (repeat, fold), rows in library.splits.items():
        num_train = library.sides[0].splits[repeat, fold][0].num_train
        records.append({"repeat": repeat, "fold": fold, "num": rows.stop - rows.start, "num_train": num_train})
    return records


def _trained(folder: RunFolder) -> RunFolder:
    """Return a training's folder, of a cv that of its first fold."""
    return folder if folder.manifest["kind"] != "cv" else folder.children()[0]


def _notes(library: Library, refs: list[str], weights_M: np.ndarray) -> list[str]:
    """Return what the numbers alone do not say."""
    picked = [ref for ref in refs if parse_places(ref)[1] is not None]
    notes = [
        f"{', '.join(picked)}: settings that were picked by these very examples, which flatters the ensemble and the "
        "best model alike; name the whole sweep, and the choice is made without the examples that it is scored on"
    ]
    held_out = noun(len(np.unique(library.ids_N)), "example")
    few = [f"{held_out}: so few can tell large differences only"] if len(library.ids_N) < FEW else []
    monitors = [_trained(side.folder).manifest.get("monitor") or {} for side in library.sides]
    is_flattered = any(str(monitor.get("metric", "")).startswith("val/") for monitor in monitors)
    single = [SINGLE] if (weights_M > 0).sum() == 1 else []
    return [*single, *(notes if picked else []), *few, *([EPOCHS] if is_flattered else [])]
