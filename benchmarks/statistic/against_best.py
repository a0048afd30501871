"""How often a cv of equal settings calls one of them worse than the best, by simulation; and what differences it sees.

`python -m benchmarks.statistic.against_best` writes ``benchmarks/results/against_best.json``. Shapes: m settings, J
folds over all repeats, N examples, D features.
"""

import argparse
import itertools
import math
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import special

from benchmarks.measure import write
from dlexp.job.compare.verdict import ALPHA
from dlexp.statistic.holm import holm

DESIGNS = {"5": (5, 1), "10": (10, 1), "5 x 10": (5, 10)}
NUM_EXAMPLES, NUM_FEATURES = 200, 3
NOTE = (
    "Share of tables in which a setting as good as the best is called worse, by Holm's correction over all pairs (what "
    "dlexp cv does), over the pairs with the best alone, and by Hsu's comparison with the best (one-sided, Dunnett's "
    "quantile). scores: model, fold scores that correlate by n_test / n as the corrected t takes them to; trained, "
    "accuracies of least squares on 200 examples, each setting with 3 features of its own, equally good. truth: "
    "equal, or half of the settings equal and half 2 standard deviations of a fold worse. seen: share of the worse "
    "half that is called worse. A row holds where the share over all pairs is at most 0.05 up to two standard errors"
)


@dataclass(frozen=True)
class Case:
    """A row of the table: its scores, truth and settings."""

    scores: str
    truth: str
    settings: int
    folds: str


def model(case: Case, chance: np.random.Generator) -> np.ndarray:
    """Return scores (m, J) whose folds correlate by 1 / k."""
    k, repeats = DESIGNS[case.folds]
    shared = chance.standard_normal((case.settings, 1)) * math.sqrt(1 / k)
    scores = shared + chance.standard_normal((case.settings, k * repeats)) * math.sqrt(1 - 1 / k)
    return scores - 2.0 * is_worse(case)[:, None]


def trained(case: Case, chance: np.random.Generator) -> np.ndarray:
    """Return accuracies (m, J) of least squares, each setting on features of its own."""
    k, repeats = DESIGNS[case.folds]
    signs_N = chance.choice([-1.0, 1.0], NUM_EXAMPLES)
    x_mND = chance.standard_normal((case.settings, NUM_EXAMPLES, NUM_FEATURES)) + 0.5 * signs_N[:, None]
    x_mND = np.concatenate([x_mND, np.ones((case.settings, NUM_EXAMPLES, 1))], 2)
    held = []
    for _ in range(repeats):
        fold_N = chance.permutation(NUM_EXAMPLES) % k
        held += [fold_N == fold for fold in range(k)]
    scores = np.empty((case.settings, len(held)))
    for fold, is_held_N in enumerate(held):
        inside, outside = x_mND[:, ~is_held_N], x_mND[:, is_held_N]
        weights = np.linalg.solve(inside.mT @ inside, (inside.mT @ signs_N[~is_held_N])[..., None])
        scores[:, fold] = (np.sign(outside @ weights)[..., 0] == signs_N[is_held_N]).mean(1)
    return scores


MAKERS: dict[str, Callable[[Case, np.random.Generator], np.ndarray]] = {"model": model, "trained": trained}


def is_worse(case: Case) -> np.ndarray:
    """Return which settings are worse by nature (m,)."""
    return (np.arange(case.settings) >= (case.settings + 1) // 2) & (case.truth == "half")


def dunnett(num_settings: int, folds: str, chance: np.random.Generator) -> float:
    """Return the 95 % quantile of the largest of m - 1 corrected t against one control, all equal."""
    k, repeats = DESIGNS[folds]
    scores = chance.standard_normal((4000, num_settings, k * repeats))
    differences = scores[:, 1:] - scores[:, :1]
    # of independent folds the plain t has the distribution that the corrected t has of correlated ones
    t = differences.mean(2) / differences.std(2, ddof=1) * math.sqrt(k * repeats)
    return float(np.quantile(t.max(1), 1 - ALPHA))


def judged(scores: np.ndarray, ratio: float, quantile: float) -> dict[str, np.ndarray]:
    """Return for each rule which settings are called worse than the best (m,)."""
    num, num_folds = scores.shape
    best = int(scores.mean(1).argmax())
    a, b = np.triu_indices(num, 1)
    differences = scores[a] - scores[b]
    spread = differences.std(1, ddof=1)
    has_spread = spread > 1e-12
    t = np.abs(differences.mean(1)) / np.where(has_spread, spread, np.inf) / math.sqrt(1 / num_folds + ratio)
    p_values = 2 * special.stdtr(num_folds - 1, -t)
    is_with_best = (a == best) | (b == best)
    others = np.where(a == best, b, a)[is_with_best]
    called = {
        "all_pairs": holm(p_values)[is_with_best] < ALPHA,
        "best_only": holm(p_values[is_with_best]) < ALPHA,
        "hsu": t[is_with_best] > quantile,
    }
    marks = {rule: np.zeros(num, dtype=bool) for rule in called}
    for rule, is_called in called.items():
        marks[rule][others[is_called]] = True
    return marks


def measure(case: Case, repetitions: int) -> dict[str, Any]:
    """Return one line of the record."""
    chance = np.random.default_rng(0)
    k, _ = DESIGNS[case.folds]
    quantile, bad = dunnett(case.settings, case.folds, chance), is_worse(case)
    false: dict[str, list[bool]] = {"all_pairs": [], "best_only": [], "hsu": []}
    seen = []
    for _ in range(repetitions):
        marks = judged(MAKERS[case.scores](case, chance), 1 / (k - 1), quantile)
        for rule, is_called in marks.items():
            false[rule].append(bool(is_called[~bad].any()))
        seen.append(marks["all_pairs"][bad].mean() if bad.any() else math.nan)
    rates = {rule: round(float(np.mean(values)), 4) for rule, values in false.items()}
    error = math.sqrt(ALPHA * (1 - ALPHA) / repetitions)
    return {
        **asdict(case),
        "repetitions": repetitions,
        **rates,
        "seen": round(float(np.mean(seen)), 3) if bad.any() else None,
        "holds": bool(rates["all_pairs"] <= ALPHA + 2 * error),
    }


def main() -> int:
    """Measure every row and write the record; return 1 where one does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the repetitions")
    share = 10 if parser.parse_args().quick else 1
    rows = []
    for scores, truth, folds, num in itertools.product(MAKERS, ("equal", "half"), DESIGNS, (2, 5, 10, 20)):
        if scores == "trained" and truth == "half":
            continue
        rows.append(row := measure(Case(scores, truth, num, folds), {2: 1000, 5: 1000, 10: 500, 20: 300}[num] // share))
        print(*(f"{key}={value}" for key, value in row.items()), flush=True)
    path = write("against_best", rows, NOTE)
    failed = sum(not row["holds"] for row in rows)
    print(f"{len(rows)} rows in {path}; {failed} do not hold")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
