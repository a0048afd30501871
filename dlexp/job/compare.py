"""Which of two or more runs is better, and how sure is that: paired statistics by sample id.

Shapes: B resamples, N examples, K classes, T trials.
"""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dlexp import metric as metrics
from dlexp.error import ConfigError, RunError, did_you_mean
from dlexp.job.entrant import Entrant, Predictions, labels, load, require_same
from dlexp.random import generator
from dlexp.statistic.bootstrap import CELLS, examples_needed, paired_bootstrap
from dlexp.statistic.holm import holm
from dlexp.statistic.mcnemar import mcnemar
from dlexp.statistic.sign_flip import sign_flip
from dlexp.statistic.t_test import corrected_t_test, differences_needed

ALPHA = 0.05
# The mean of a value that each example has by itself: resampling looks that value up instead of computing it anew.
_MEANS = ("accuracy", "log_loss", "top5_accuracy", "mse", "mae", "huber")
_UNORDERED = ("bias",)  # neither high nor low values are better


@dataclass(frozen=True)
class Metric:
    """One metric on stored predictions.

    Attributes:
        name: Without split, such as "accuracy".
        num_classes: 0 for regression.
    """

    name: str
    num_classes: int

    def __call__(self, outputs: Tensor, targets_TN: Tensor) -> Tensor:
        """Return the metric (T,) of outputs (T, N, K) or values (T, N)."""
        cheap = metrics.classification if self.num_classes else metrics.regression
        whole = metrics.classification_report if self.num_classes else metrics.regression_report
        return _call(cheap if self.name in _names(cheap, self.num_classes) else whole, self, outputs, targets_TN)

    def by_example(self, outputs: Tensor, targets_N: Tensor) -> Tensor:
        """Return the metric (N,) of each example alone."""
        # A confusion matrix an example: K * K numbers each.
        size = max(1, CELLS // max(self.num_classes, 1) ** 2)
        pieces = zip(outputs.split(size), targets_N.split(size), strict=True)
        return torch.cat([self(part.unsqueeze(1), target.unsqueeze(1)) for part, target in pieces])


def compare(refs: list[str], runs_dir: Path, metric: str | None = None) -> dict[str, Any]:
    """Compare every two of some runs, or of some cross-validations.

    One split: the percentile interval of the paired bootstrap, and McNemar's test for accuracy. Folds: the corrected
    resampled t-test. Holm's correction over the pairs.

    Args:
        refs: At least two runs as users name them.
        runs_dir: Folder of all runs.
        metric: Name with or without ``val/``; None takes accuracy or rmse.

    Returns:
        The document that ``--json`` prints.

    Raises:
        RunError: A run that is unknown, incomplete, or measured on something else.
        ConfigError: No such metric.
    """
    entrants = [load(runs_dir, ref) for ref in refs]
    ids = [entrant.run_id for entrant in entrants]
    if len(set(ids)) < len(ids) or len(ids) < 2:
        raise RunError(f"compare: got {', '.join(ids)}; at least two different runs are needed")
    for other in entrants[1:]:
        require_same(entrants[0], other)
    chosen = _choose(metric, entrants[0])
    pairs = [_compare_two(a, b, chosen) for a, b in itertools.combinations(entrants, 2)]
    for pair, adjusted in zip(pairs, holm(np.array([pair["p_value"] for pair in pairs])), strict=True):
        pair["p_holm"] = float(adjusted)
        pair["verdict"] = _verdict(pair, metrics.is_better_high(chosen.name))
        if pair["verdict"] != "cannot tell":
            pair["needed"] = None
    runs = [
        {
            "run_id": entrant.run_id,
            "run_dir": str(entrant.run_dir),
            "kind": entrant.kind,
            "label": label,
            "value": float(np.mean(_by_part(entrant, chosen))),
        }
        for entrant, label in zip(entrants, labels(entrants), strict=True)
    ]
    return {"kind": "compare", "metric": f"val/{chosen.name}", "alpha": ALPHA, "runs": runs, "pairs": pairs}


def _compare_two(a: Entrant, b: Entrant, metric: Metric) -> dict[str, Any]:
    ends = {"a": a.run_id, "b": b.run_id}
    if a.kind == "cv":
        return ends | _over_folds(a, b, metric)
    return ends | _on_one_split(a.parts[0, 0], b.parts[0, 0], metric)


def _on_one_split(a: Predictions, b: Predictions, metric: Metric) -> dict[str, Any]:
    num = len(a.ids)
    whole = torch.arange(num).unsqueeze(0)
    difference = _difference(a, b, metric)
    try:
        found = paired_bootstrap(
            difference, num, generator=generator(0, "bootstrap"), cells=max(1, CELLS // max(metric.num_classes, 1))
        )
    except ValueError as error:
        raise RunError(f"val/{metric.name}: {error}") from error
    seen = float(difference(whole))
    record = {"difference": seen, "interval": [found.low, found.high], "num": num, "unit": "examples"}
    needed = examples_needed(seen, found.standard_error, num)
    record["needed"] = None if needed is None else max(needed - num, 0)
    if metric.name != "accuracy":
        return record | {"p_value": found.p_value, "test": "paired bootstrap", "effect": None, "effect_name": None}
    right_a, right_b = (metric.by_example(side.outputs, side.targets).numpy() == 1 for side in (a, b))
    test = mcnemar(right_a, right_b)
    counts = {"only_a": test.only_a, "only_b": test.only_b}
    return record | counts | {"p_value": test.p_value, "test": test.test, "effect": test.effect, "effect_name": "g"}


def _difference(a: Predictions, b: Predictions, metric: Metric) -> Callable[[Tensor], Tensor]:
    """Return the function of rows (B, N) that the bootstrap resamples."""
    if metric.name in _MEANS:
        gap_N = metric.by_example(a.outputs, a.targets) - metric.by_example(b.outputs, b.targets)
        return lambda rows_BN: gap_N[rows_BN].mean(-1)
    return lambda rows_BN: (
        metric(a.outputs[rows_BN], a.targets[rows_BN]) - metric(b.outputs[rows_BN], b.targets[rows_BN])
    )


def _over_folds(a: Entrant, b: Entrant, metric: Metric) -> dict[str, Any]:
    differences = _by_part(a, metric) - _by_part(b, metric)
    if not np.isfinite(differences).all():
        raise RunError(f"val/{metric.name}: not defined on every fold; choose another --metric or a smaller cv.k")
    ratio = float(np.mean([len(part.ids) / part.num_train for part in a.parts.values()]))
    test = corrected_t_test(differences, ratio)
    needed = differences_needed(test.effect, ratio)
    record = {
        "difference": test.mean,
        "interval": [test.low, test.high],
        "p_value": test.p_value,
        "test": "corrected resampled t",
        "effect": None if math.isnan(test.effect) else test.effect,
        "effect_name": "d",
        "num": len(differences),
        "unit": "folds",
        "needed": None if needed is None else max(needed - len(differences), 0),
        "by_fold": differences.tolist(),
    }
    if math.isnan(test.p_value):
        # Without spread there is no t. Sign flips take folds for independent, so they name a p but never a winner.
        flips = sign_flip(torch.from_numpy(differences), generator=generator(0, "sign flip"))
        record |= {"p_value": flips.p_value, "test": "sign flips", "smallest_p": flips.smallest_p}
    return record


def _verdict(pair: dict[str, Any], is_high_better: bool) -> str:
    """Name a winner only where the interval leaves zero out and the corrected test agrees."""
    low, high = pair["interval"]
    if pair["p_holm"] >= ALPHA or not (low > 0 or high < 0):
        return "cannot tell"
    return "a" if (low > 0) == is_high_better else "b"


def _by_part(entrant: Entrant, metric: Metric) -> np.ndarray:
    values = [metric(part.outputs.unsqueeze(0), part.targets.unsqueeze(0)) for part in entrant.parts.values()]
    return torch.cat(values).double().numpy()


def _choose(asked: str | None, entrant: Entrant) -> Metric:
    outputs = next(iter(entrant.parts.values())).outputs
    num_classes = 0 if entrant.task == "regression" else max(2, outputs.shape[-1])
    known = _names(metrics.classification_report if num_classes else metrics.regression_report, num_classes)
    name = (asked or ("accuracy" if num_classes else "rmse")).removeprefix("val/")
    if name not in known:
        raise ConfigError(f"--metric: got {asked}; choose one of {', '.join(known)}{did_you_mean(name, known)}")
    return Metric(name, num_classes)


@cache
def _names(function: Callable[..., dict[str, Tensor]], num_classes: int) -> list[str]:
    """Return the names of a function's scalar metrics, those that have a better end."""
    outputs, targets = torch.zeros(1, 2, num_classes or 1), torch.zeros(1, 2, dtype=torch.int64)
    found = function(outputs, targets, num_classes) if num_classes else function(outputs, targets.float())
    return [name for name, value in found.items() if value.dim() == 1 and name not in _UNORDERED]


def _call(function: Callable[..., dict[str, Tensor]], metric: Metric, outputs: Tensor, targets: Tensor) -> Tensor:
    found = function(outputs, targets, metric.num_classes) if metric.num_classes else function(outputs, targets)
    return found[metric.name]
