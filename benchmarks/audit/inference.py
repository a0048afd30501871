"""Tests and intervals against their definitions, by enumeration and by SciPy; what intervals cover, by simulation."""

import itertools
import math
from collections.abc import Iterator
from typing import Any, cast

import numpy as np
from scipy import stats

from benchmarks.audit.row import Row, apart
from dlexp.statistic.bootstrap import interval, resample
from dlexp.statistic.bounded import mean_interval
from dlexp.statistic.holm import holm
from dlexp.statistic.mcnemar import mcnemar
from dlexp.statistic.score import weighted
from dlexp.statistic.sign_flip import sign_flip
from dlexp.statistic.spread import spread
from dlexp.statistic.t_test import corrected_t_test

SECTION = "inference"
BOUND = 1e-12
LEVEL = 0.95
ERRORS = 3.0  # standard errors that a simulated share may be off


def _is_rejected(p_values: np.ndarray, alpha: float) -> np.ndarray:
    """Return what Holm's procedure (1979) rejects: the smallest p first, each at alpha / those that are left."""
    rejected = np.zeros(len(p_values), dtype=bool)
    for place, row in enumerate(np.argsort(p_values)):
        if p_values[row] > alpha / (len(p_values) - place):
            break
        rejected[row] = True
    return rejected


def _holm(chance: np.random.Generator, repeats: int) -> Row:
    wrong = 0
    for _ in range(repeats):
        p_values = chance.random(int(chance.integers(1, 12))) ** 3
        for alpha in (0.01, 0.05, 0.2, 0.7):
            wrong += int((_is_rejected(p_values, alpha) != (holm(p_values) <= alpha)).sum())
    return Row(SECTION, "Holm", "hypotheses that the step-down procedure decides otherwise", wrong, 0.0)


def _mcnemar() -> Iterator[Row]:
    exact, approximate = [], []
    for b, c in itertools.product(range(0, 40, 3), repeat=2):
        a_is_right = np.array([True] * b + [False] * c + [True] * 50)
        ours = mcnemar(a_is_right, np.array([False] * b + [True] * c + [True] * 50)).p_value
        if 0 < b + c < 25:
            exact.append(apart(ours, stats.binomtest(b, b + c).pvalue))
        elif b + c:
            statistic = max(abs(b - c) - 1, 0) ** 2 / (b + c)
            approximate.append(apart(ours, stats.chi2.sf(statistic, 1)))
    yield Row(SECTION, "McNemar, below 25", "p against SciPy's binomial test", max(exact), BOUND)
    yield Row(SECTION, "McNemar, from 25 on", "p against SciPy's chi-square, corrected", max(approximate), BOUND)


def _sign_flips(chance: np.random.Generator, repeats: int) -> Iterator[Row]:
    worst = 0.0
    for num in (1, 2, 5, 9):
        values = chance.standard_normal(num) + 0.5
        means = [abs(np.dot(signs, values)) for signs in itertools.product((-1, 1), repeat=num)]
        share = np.mean([mean >= abs(values.sum()) - 1e-9 for mean in means])
        worst = max(worst, apart(sign_flip(values, generator=chance).p_value, share))
    yield Row(SECTION, "sign flips", "p against all assignments of signs", worst, BOUND)
    called = [
        sign_flip(chance.standard_normal(20), generator=chance, draws=400).p_value <= 0.05 for _ in range(repeats)
    ]
    beyond = max(0.0, float(np.mean(called)) - (1 - LEVEL))
    yield Row(SECTION, "sign flips, drawn", "share of false alarms beyond 0.05", beyond, _error(repeats))


def _error(repeats: int) -> float:
    return ERRORS * math.sqrt(LEVEL * (1 - LEVEL) / repeats)


def _t(chance: np.random.Generator) -> Iterator[Row]:
    worst, corrected = 0.0, 0.0
    for num in (2, 5, 10, 50):
        values = chance.standard_normal(num) + 0.3
        ours, other = corrected_t_test(values, 0.0), cast(Any, stats.ttest_1samp(values, 0.0))
        ends = other.confidence_interval(LEVEL)
        worst = max(worst, apart([ours.p_value, ours.low, ours.high], [other.pvalue, *ends]))
        t = values.mean() / math.sqrt((1 / num + 0.25) * values.var(ddof=1))  # Nadeau and Bengio (2003), section 5
        corrected = max(corrected, apart(corrected_t_test(values, 0.25).p_value, 2 * stats.t.sf(abs(t), num - 1)))
    yield Row(SECTION, "paired t", "p and interval against SciPy", worst, BOUND)
    yield Row(SECTION, "corrected resampled t", "p against its formula", corrected, BOUND)


def _intervals(chance: np.random.Generator) -> Iterator[Row]:
    plain, logit, log, deviation = [], [], [], []
    for num in (3, 10):
        values = chance.uniform(0.6, 0.95, num)
        mean, step = values.mean(), stats.t.ppf(0.975, num - 1) * values.std(ddof=1) / math.sqrt(num)
        plain.append(apart(mean_interval(values), stats.t.interval(LEVEL, num - 1, mean, _error_of_mean(values))))
        centre, reach = math.log(mean / (1 - mean)), step / (mean * (1 - mean))
        ends = [1 / (1 + math.exp(-(centre + sign * reach))) for sign in (-1, 1)]
        logit.append(apart(mean_interval(values, (0.0, 1.0)), ends))
        log.append(apart(mean_interval(values, (0.0, math.inf)), [mean * math.exp(s * step / mean) for s in (-1, 1)]))
        squares = (num - 1) * values.var(ddof=1)
        ends = [math.sqrt(squares / stats.chi2.ppf(tail, num - 1)) for tail in (0.975, 0.025)]
        told = spread(values)
        deviation.append(apart([told.low, told.high], ends))
    yield Row(SECTION, "interval of a mean", "against SciPy's t", max(plain), BOUND)
    yield Row(SECTION, "interval of a share", "against t on the logit scale", max(logit), BOUND)
    yield Row(SECTION, "interval of a loss", "against t on the log scale", max(log), BOUND)
    yield Row(SECTION, "interval of a deviation", "against SciPy's chi-square", max(deviation), 1e-10)


def _error_of_mean(values: np.ndarray) -> float:
    """Return the standard error of a mean."""
    return float(values.std(ddof=1) / math.sqrt(len(values)))


def _bootstrap(chance: np.random.Generator, repeats: int) -> Iterator[Row]:
    """Cover the true difference of accuracies of two classifiers that err together, and of mean absolute errors."""
    for num in (60, 300):
        covered = {"accuracy": [], "mae": []}
        for _ in range(repeats):
            common, apart_2N = chance.random(num), chance.random((2, num))
            is_right = np.where(common < 0.5, common < 0.4, apart_2N < np.array([[0.85], [0.75]]))
            targets = np.zeros(num, dtype=np.int64)
            outputs = [np.stack([right, ~right], 1).astype(float) for right in is_right]
            covered["accuracy"].append(_holds("accuracy", outputs, targets, 0.5 * 0.1, chance))
            values = [chance.laplace(0, scale, num) for scale in (1.0, 1.5)]
            covered["mae"].append(_holds("mae", values, np.zeros(num), -0.5, chance))
        for name, holds in covered.items():
            lack = max(0.0, LEVEL - float(np.mean(holds)))
            quantity = f"coverage of 95 % intervals below 0.95, {name}, {np.mean(holds):.3f} seen"
            yield Row(SECTION, f"paired bootstrap, {num} examples", quantity, lack, _error(repeats))


def _holds(
    name: str, outputs: list[np.ndarray], targets: np.ndarray, truth: float, chance: np.random.Generator
) -> bool:
    scores = [weighted(name, each, targets) for each in outputs]
    seen = [float(score(np.ones((1, len(targets))))[0]) for score in scores]
    values = resample(scores, len(targets), generator=chance, draws=400)
    told = interval(seen[0] - seen[1], values[:, 0] - values[:, 1], len(targets))
    return told.low <= truth <= told.high


def rows(*, is_quick: bool) -> Iterator[Row]:
    """Yield the rows of every test and interval."""
    chance, repeats = np.random.default_rng(0), 60 if is_quick else 600
    yield _holm(chance, repeats)
    yield from _mcnemar()
    yield from _sign_flips(chance, repeats)
    yield from _t(chance)
    yield from _intervals(chance)
    yield from _bootstrap(chance, repeats)
