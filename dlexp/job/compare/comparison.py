"""Which of two or more runs is better, and how sure is that: paired statistics by sample id.

Shapes: B resamples, N examples, R runs.
"""

import itertools
import math
from pathlib import Path

import numpy as np

from dlexp.config.metric import OF_POSITIVE
from dlexp.direction import is_better_high
from dlexp.error import RunError
from dlexp.job.compare.choice import choose_metric
from dlexp.job.compare.document import Comparison, Difference, Pair, SideRecord
from dlexp.job.compare.pairing import (
    is_pooled,
    labels,
    pair_sides,
    pool_folds,
    require_same_constants,
    setting_and_seed,
)
from dlexp.job.compare.side import Predictions, Side
from dlexp.job.compare.verdict import ALPHA, compare_folds, judge, not_judged
from dlexp.number import noun
from dlexp.statistic import score
from dlexp.statistic.bootstrap import Bootstrap, examples_needed, interval, resample
from dlexp.statistic.bounded import bounds, bounds_of_difference, rounding, within
from dlexp.statistic.dyad.members import Members
from dlexp.statistic.mcnemar import mcnemar
from dlexp.statistic.sign_flip import fewest, sign_flip
from dlexp.statistic.spread import add_spread, deviation, mean
from dlexp.statistic.stream import stream
from dlexp.statistic.t_test import corrected_t_test, differences_needed
from dlexp.type import PositiveFact

PAIRED = "t-test of pairs by their inputs"


def compare(refs: list[str], runs_dir: Path, metric: str | None = None) -> Comparison:
    """Compare every two of some runs, sweeps or cross-validations, with Holm's correction over the pairs.

    One split: the interval of the paired bootstrap, and McNemar's test for accuracy, or, of pairs of inputs, both by
    their inputs. Several seeds: sign
    flips over seeds, and an interval that holds for other seeds and other examples. Folds: the corrected resampled
    t-test; where folds hold out single examples and the metric is no mean over examples, their pooled predictions stand
    for one split.

    Args:
        refs: At least two runs as users name them.
        runs_dir: Folder of all runs.
        metric: Name with or without ``val/``; None takes accuracy or rmse, of several targets the first one's.

    Returns:
        The document that ``--json`` prints.

    Raises:
        RunError: A run that is unknown, incomplete, or measured on something else.
        ConfigError: No such metric.
    """
    sides = pair_sides(refs, runs_dir)
    shown, sides = choose_metric(metric, sides)
    name = shown.rpartition("/")[2]
    sides, values, pairs = compare_sides(sides, name)
    withhold_verdict_between_seeds(pairs, sides)
    return {
        "kind": "compare",
        "metric": f"val/{shown}",
        **_positive(sides[0], name),
        "alpha": ALPHA,
        "runs": [_describe(*shown) for shown in zip(sides, labels(sides), values, strict=True)],
        "pairs": pairs,
        "notes": _notes(sides),
    }


def compare_sides(sides: list[Side], name: str) -> tuple[list[Side], list[np.ndarray], list[Pair]]:
    """Return the sides as they are measured, their values (splits, seeds), and every two of them, judged.

    Args:
        sides: On the same examples; those of folds with single examples are pooled where the metric asks for that.
        name: Of the metric, without part.

    Raises:
        RunError: The metric is not the same function for all, or not defined.
    """
    require_same_constants(name, sides)
    if is_pooled(sides[0], name):
        sides = [pool_folds(side) for side in sides]
    values = [values_of(side, name) for side in sides]
    num_pairs = math.comb(len(sides), 2)
    measure = _over_folds if len(sides[0].splits) > 1 else _on_one_split
    pairs = measure(sides, values, name, num_pairs)
    for pair in pairs:
        pair["interval"] = within(pair["interval"], bounds_of_difference(name))
    judge(pairs, is_high_better=is_better_high(name))
    return sides, values, pairs


def values_of(side: Side, name: str) -> np.ndarray:
    """Return a metric (splits, seeds) of every split and seed."""
    return np.array(
        [
            [float(_weighted(name, predictions)(np.ones((1, len(predictions.ids))))[0]) for predictions in by_seed]
            for by_seed in side.splits.values()
        ]
    )


def _positive(side: Side, name: str) -> PositiveFact:
    """Return the class that a metric of two classes is of, where the run recorded it."""
    positive = side.folder.manifest["data"].get("positive")
    return {"positive": positive} if positive and name in OF_POSITIVE else {}


def _weighted(name: str, predictions: Predictions) -> score.Weighted:
    about = predictions.outputs, predictions.targets, predictions.measure
    if predictions.user_metric is None:
        return score.weighted(name, *about)
    from dlexp.job.compare.user_metric import weighted

    return weighted(predictions.user_metric, *about)


def _on_one_split(sides: list[Side], values: list[np.ndarray], name: str, num_pairs: int) -> list[Pair]:
    """Return a record for each pair, from one seed or the same number of seeds on one split."""
    predictions = [side.splits[0, 0] for side in sides]
    first = predictions[0][0]
    members = Members.of_predictions(first.ids, first.measure.link)
    num = len(first.ids) if members is None else members.num
    is_counted = name == "accuracy" and len(predictions[0]) == 1
    try:
        resampled_BR = resample(
            [_mean_over_seeds(name, by_seed) for by_seed in predictions],
            len(first.ids),
            generator=stream("bootstrap"),
            members=members,
        )
        pairs = itertools.combinations(range(len(sides)), 2)
        slack = {(i, j): rounding(bounds(name), values[i], values[j]) for i, j in pairs}
        spans = {
            (i, j): interval(
                _told(float((values[i] - values[j]).mean()), of_pair),
                resampled_BR[:, i] - resampled_BR[:, j],
                num,
                rounding=of_pair,
                undefined=0.0,
            )
            for (i, j), of_pair in slack.items()
        }
    except ValueError as error:
        raise RunError(f"val/{name}: {error}") from error
    pairs = []
    for (i, j), span in spans.items():
        differences = values[i][0] - values[j][0]
        if len(differences) > 1:
            record = _over_seeds(differences, span, num_pairs, slack[i, j])
        else:
            record = _over_examples(_told(float(differences[0]), slack[i, j]), span, num, num_pairs)
            if is_counted:
                _count_examples(record, predictions[i][0], predictions[j][0], members)
        pairs.append(not_judged(sides[i].run_id, sides[j].run_id, record))
    return pairs


def _told(difference: float, slack: float) -> float:
    """Return a difference, which is zero where only rounding makes one."""
    return 0.0 if abs(difference) <= slack else difference


def _mean_over_seeds(name: str, by_seed: list[Predictions]) -> score.Weighted:
    functions = [_weighted(name, predictions) for predictions in by_seed]
    return lambda weights_BN: np.mean([function(weights_BN) for function in functions], axis=0)


def _over_examples(difference: float, span: Bootstrap, num: int, num_pairs: int) -> Difference:
    needed = examples_needed(difference, span.standard_error, num, level=1 - ALPHA / num_pairs)
    # the per-example deviation, estimated from the mean's; for a metric that is a mean this is Cohen's d_z
    deviation = span.standard_error * math.sqrt(num)
    return {
        "difference": difference,
        "interval": [span.low, span.high],
        "p_value": span.p_value,
        "test": "paired bootstrap",
        "effect": difference / deviation if deviation else None,
        "effect_name": "d",
        "num": num,
        "over": "examples",
        "needed": None if needed is None else max(needed - num, 0),
    }


def _count_examples(record: Difference, a: Predictions, b: Predictions, members: Members | None) -> None:
    """Put McNemar's test of right and wrong examples in the place of the bootstrap's; of pairs, that for pairs."""
    is_right_a, is_right_b = (score.by_example("accuracy", side.outputs, side.targets) for side in (a, b))
    assert is_right_a is not None
    assert is_right_b is not None
    test = mcnemar(is_right_a == 1, is_right_b == 1)
    record["only_a"], record["only_b"] = test.only_a, test.only_b
    record["p_value"], record["test"] = test.p_value, test.test
    if members is not None:
        record["p_value"], record["test"] = members.p_of_difference(is_right_a - is_right_b), PAIRED
    record["effect"], record["effect_name"] = test.effect, "g"


def _over_seeds(differences: np.ndarray, span: Bootstrap, num_pairs: int, slack: float) -> Difference:
    """Return the record of paired seeds: its interval allows for other seeds and for other examples."""
    told = np.where(np.abs(differences) <= slack, 0.0, differences)  # what rounds has no sign
    flips = sign_flip(told, generator=stream("sign flips"))
    test = corrected_t_test(differences, 0.0, rounding=slack)
    has_spread = not math.isnan(test.effect)
    seeds = (test.low, test.high) if has_spread else (test.mean, test.mean)
    level = 1 - ALPHA / num_pairs
    needed: int | None = fewest(level)
    if has_spread:
        # examples are the same for all seeds: their share of the variance stays, however many seeds
        deviation = float(differences.std(ddof=1))
        enough = differences_needed(test.effect, (span.standard_error / deviation) ** 2, level=level)
        needed = None if enough is None else max(enough, needed)
    return {
        "difference": test.mean,
        "interval": list(add_spread(test.mean, seeds, (span.low, span.high))),
        "p_value": flips.p_value,
        "test": "sign flips",
        "smallest_p": flips.smallest_p,
        "effect": test.effect if has_spread else None,
        "effect_name": "d",
        "num": len(differences),
        "over": "seeds",
        "needed": None if needed is None else max(needed - len(differences), 0),
        "by_seed": differences.tolist(),
        "interval_seeds": list(seeds),
        "interval_examples": [span.low, span.high],
    }


def _over_folds(sides: list[Side], values: list[np.ndarray], name: str, num_pairs: int) -> list[Pair]:
    by_split = sides[0].splits.values()
    ratio = float(np.mean([len(by_seed[0].ids) / by_seed[0].num_train for by_seed in by_split]))
    means = [of_side.mean(1) for of_side in values]
    if not np.isfinite(means).all():
        raise RunError(f"val/{name}: not defined on every fold; choose another --metric or a smaller cv.k")
    pairs = []
    for (a, mine), (b, theirs) in itertools.combinations(zip(sides, means, strict=True), 2):
        record = compare_folds(mine - theirs, ratio, num_pairs, rounding=rounding(bounds(name), mine, theirs))
        record["k"] = 1 + max(fold for _, fold in a.splits)
        pairs.append(not_judged(a.run_id, b.run_id, record))
    return pairs


def withhold_verdict_between_seeds(pairs: list[Pair], sides: list[Side]) -> None:
    """Name no winner between two runs of one setting: on many examples their models do differ, by the seed."""
    settings = {side.run_id: setting_and_seed(side)[0] for side in sides}
    for pair in pairs:
        if pair["over"] == "examples" and settings[pair["a"]] == settings[pair["b"]]:
            pair["verdict"], pair["needed"], pair["same_setting"] = "cannot tell", None, True


def _describe(side: Side, label: str, values: np.ndarray) -> SideRecord:
    by_seed = values.mean(0) if len(values) == 1 else values.mean(1)
    return {
        "run_id": side.run_id,
        "run_dir": str(side.folder.path),
        "run_ids": side.run_ids,
        "kind": side.kind,
        "label": label,
        "seeds": side.seeds,
        "value": mean(values),
        "std": deviation(by_seed) if len(by_seed) > 1 else None,
    }


def _notes(sides: list[Side]) -> list[str]:
    """Return what the numbers alone do not say."""
    notes = [
        f"{side.run_id} was picked as the best of {noun(side.picked_among, 'setting')} by these very examples, which "
        "flatters it; the sealed test part, or a cv of the winner, does not"
        for side in sides
        if side.picked_among
    ]
    if sides[0].kind == "train" and len(sides[0].seeds) == 1:
        notes.append(
            "one seed each: what is told apart are trained models, which another seed moves: dlexp compare --noise RUN "
            "says how far, and several seeds each compare the settings"
        )
    return notes
