"""How often `dlexp compare` names a winner among equals, what its intervals hold, and whether what would tell tells.

The verdict is the program's own (`dlexp.job.compare.verdict`), on simulated right and wrong answers, outputs and
values of seeds. `python -m benchmarks.statistic.comparison` writes ``benchmarks/results/comparison.json``.
Shapes: N examples, S seeds, K classes, B resamples.
"""

import argparse
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.measure import write
from dlexp.job.compare.verdict import ALPHA, compare_folds, judge, not_judged
from dlexp.statistic.against_best import p_against_best
from dlexp.statistic.bootstrap import DRAWS, examples_needed, interval, resample
from dlexp.statistic.mcnemar import mcnemar
from dlexp.statistic.score import weighted
from dlexp.statistic.sign_flip import sign_flip
from dlexp.statistic.spread import add_spread, largest_chance_difference, spread, variance_share
from dlexp.statistic.t_test import corrected_t_test, differences_needed

REPETITIONS = 1000
NUM, NUM_CLASSES, NUM_SEEDS, K = 300, 4, 8, 5
NOTE = (
    "false alarms: share of comparisons of equals that name a winner (0.05 is allowed); coverage: share of 95 % "
    "intervals that hold the truth; power: share that name the winner on as many examples or folds as the program says "
    "would tell (0.8 is meant). runs: two classifiers on the same 300 examples of 4 classes, right with 0.8 each; "
    "seeds: 8 seeds each of two settings of equal mean on the same examples; noise: 8 normal "
    "values; ties: m settings over 5 seeds; error: standard error of the share"
)
Draw = np.random.Generator


def outputs_of(targets_N: np.ndarray, common_N: np.ndarray, rate: float, chance: Draw) -> np.ndarray:
    """Return outputs (N, K) right with a rate, half of the difficulty of an example shared with other classifiers."""
    difficulty_N = np.where(chance.random(len(targets_N)) < 0.5, common_N, chance.random(len(targets_N)))
    wrong_N = (targets_N + chance.integers(1, NUM_CLASSES, len(targets_N))) % NUM_CLASSES
    return np.eye(NUM_CLASSES)[np.where(difficulty_N < rate, targets_N, wrong_N)]


def pair_of_runs(metric: str, rates: tuple[float, float], num: int, chance: Draw) -> dict[str, Any]:
    """Return the comparison of two runs on N examples, as `dlexp compare` makes it."""
    targets_N, common_N = chance.integers(NUM_CLASSES, size=num), chance.random(num)
    outputs = [outputs_of(targets_N, common_N, rate, chance) for rate in rates]
    scores = [weighted(metric, each, targets_N) for each in outputs]
    seen = [float(score(np.ones((1, num)))[0]) for score in scores]
    values_BR = resample(scores, num, generator=chance, draws=DRAWS)
    span = interval(seen[0] - seen[1], values_BR[:, 0] - values_BR[:, 1], num)
    p_value = span.p_value
    if metric == "accuracy":
        p_value = mcnemar(*(each.argmax(1) == targets_N for each in outputs)).p_value
    return {
        "interval": [span.low, span.high],
        "p_value": p_value,
        "difference": seen[0] - seen[1],
        "standard_error": span.standard_error,
    }


def pair_of_seeds(chance: Draw) -> dict[str, Any]:
    """Return the comparison of S seeds each of two settings, whose models differ by seed on the same examples."""
    targets_N, common_N = chance.integers(NUM_CLASSES, size=NUM), chance.random(NUM)
    rates_RS = 0.8 + 0.02 * chance.standard_normal((2, NUM_SEEDS))
    sides = [
        [weighted("accuracy", outputs_of(targets_N, common_N, rate, chance), targets_N) for rate in rates_S]
        for rates_S in rates_RS
    ]
    means = [lambda w_BN, side=side: np.mean([score(w_BN) for score in side], 0) for side in sides]
    values = np.array([[float(score(np.ones((1, NUM)))[0]) for score in side] for side in sides])
    differences = values[0] - values[1]
    values_BR = resample(means, NUM, generator=chance, draws=DRAWS // 4)
    span = interval(float(differences.mean()), values_BR[:, 0] - values_BR[:, 1], NUM)
    test = corrected_t_test(differences, 0.0)
    ends = add_spread(test.mean, (test.low, test.high), (span.low, span.high))
    return {"interval": list(ends), "p_value": sign_flip(differences, generator=chance).p_value}


def pair_of_cvs(effect: float, num: int, chance: Draw) -> dict[str, Any]:
    """Return the comparison of two cvs by J folds that correlate by 1 / k; the effect is in deviations within a cv."""
    shared, alone = chance.standard_normal(), chance.standard_normal(num)
    differences = math.sqrt(1 / K) * shared + math.sqrt(1 - 1 / K) * (effect + alone)
    return {**compare_folds(differences, 1 / (K - 1), 1)}


def names_winner(record: Any, truth: str = "") -> bool:
    """Whether the program's verdict names a winner, or the true winner."""
    pair = not_judged("a", "b", record)
    judge([pair], is_high_better=True)
    return pair["verdict"] == truth if truth else pair["verdict"] != "cannot tell"


def holds(ends: list[float] | tuple[float, float], truth: float) -> bool:
    return ends[0] <= truth <= ends[1]


def noise(chance: Draw) -> tuple[bool, bool, bool]:
    """Return whether the intervals of a deviation and of a share of variance hold, and whether two values lie apart."""
    source, whole = spread(chance.standard_normal(NUM_SEEDS)), spread(2 * chance.standard_normal(NUM_SEEDS))
    _, low, high = variance_share(source, whole)
    apart = abs(float(np.diff(chance.standard_normal(2))[0])) > largest_chance_difference(source)
    return holds((source.low, source.high), 1.0), holds((low, high), 0.25), apart


def ties(num_settings: int, chance: Draw) -> bool:
    """Whether a sweep over 5 seeds calls any of m equal settings worse than the best."""
    values = chance.standard_normal((num_settings, 5))
    order = values.mean(1).argsort()[::-1]
    told = p_against_best(values.mean(1)[order], values.var(1, ddof=1)[order], np.full(num_settings, 5))
    return bool((told < ALPHA).any())


def line(what: str, case: str, quantity: str, values: list[bool]) -> dict[str, Any]:
    """Return a row of the record: a share and its standard error."""
    share = float(np.mean(values))
    error = math.sqrt(max(share * (1 - share), 0.25 / len(values)) / len(values))
    about = {"what": what, "case": case, "quantity": quantity}
    return {**about, "value": round(share, 4), "error": round(error, 4), "repetitions": len(values)}


def simulate(repetitions: int) -> list[dict[str, Any]]:
    """Return the rows of the record."""
    chance = np.random.default_rng(0)

    def repeat(call: Callable[..., Any], *arguments: Any) -> list[Any]:
        return [call(*arguments, chance) for _ in range(repetitions)]

    rows = []
    cases = {metric: repeat(pair_of_runs, metric, (0.8, 0.8), NUM) for metric in ("accuracy", "f1_macro")}
    for case, told in {**cases, "seeds": repeat(pair_of_seeds), "cvs": repeat(pair_of_cvs, 0.0, 10)}.items():
        what = case if case in ("seeds", "cvs") else "runs"
        rows.append(line(what, case, "false alarms", [names_winner(record) for record in told]))
        rows.append(line(what, case, "coverage", [holds(record["interval"], 0.0) for record in told]))
    pilots = [pair_of_runs("accuracy", (0.82, 0.76), 2000, chance)["standard_error"] for _ in range(20)]
    num = examples_needed(0.06, float(np.mean(pilots)), 2000) or 0
    told = repeat(pair_of_runs, "accuracy", (0.82, 0.76), num)
    rows.append(line("needed", f"{num} examples", "power", [names_winner(record, "a") for record in told]))
    num = differences_needed(2.0, 1 / (K - 1)) or 0
    told = repeat(pair_of_cvs, 2.0, num)
    rows.append(line("needed", f"{num} folds", "power", [names_winner(record, "a") for record in told]))
    deviation, part, apart = zip(*repeat(noise), strict=True)
    rows.append(line("noise", "deviation", "coverage", list(deviation)))
    rows.append(line("noise", "share of variance", "coverage", list(part)))
    rows.append(line("noise", "difference of two runs", "false alarms", list(apart)))
    rows += [line("ties", f"{m} settings", "false alarms", repeat(ties, m)) for m in (2, 5, 20)]
    return rows


def main() -> None:
    """Simulate and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the repetitions")
    rows = simulate(REPETITIONS // (10 if parser.parse_args().quick else 1))
    for row in rows:
        print(row)
    print(write("comparison", rows, NOTE))


if __name__ == "__main__":
    main()
