"""What a sweep's winner is worth once its having been picked is taken into account, from what is stored of examples."""

import numpy as np

from dlexp.direction import is_better_high
from dlexp.engine.by_example import RIGHT
from dlexp.error import RunError
from dlexp.job.sweep.document import SelectionBias
from dlexp.job.sweep.evidence import Scores, Unknown, read_scores
from dlexp.job.sweep.leaderboard import RankedSetting
from dlexp.job.sweep.trial import TrialResult
from dlexp.statistic import jitter
from dlexp.statistic.selection import select, spread_over_noise
from dlexp.statistic.stream import stream

MOST_DRAWS, FEWEST_DRAWS = 400, 50  # pairs of opposite sign
CELLS = 5e6  # draws times candidates, eight bytes each
# Where `benchmarks.statistic.selection` finds the correction too large: the noise is far from normal.
FEW_ERRORS = 5  # of the winner, for shares of right examples
FEW_EXAMPLES = 100  # for other metrics
WIDE, MANY = 2.0, 10  # deviations of one setting's noise by which more than so many settings differ
UNIT_METRICS = ("accuracy", "precision", "recall", "f1", "fbeta", "auc", "error")


def selection_bias(ranking: list[RankedSetting], metric: str) -> SelectionBias:
    """Return what picking did to the best setting's value.

    `picked_among` settings; `optimism` and `corrected` with `corrected_interval` and `wins`, or `not_corrected`, the
    reason; `corrected_epochs`, whether the choice of the best epoch is in it; `corrected_notes`, its limits in words.
    Empty where one value alone was there to be picked.

    Args:
        ranking: The settings, best first.
        metric: The objective.
    """
    whole = [ranked for ranked in ranking if ranked.value is not None]
    if len(whole) < 2 and all(result.epochs < 2 for ranked in whole for result in ranked.results):
        return {}
    about: SelectionBias = {"picked_among": len(whole)}
    try:
        if not metric.startswith("val/"):
            raise Unknown(f"{metric} is measured on the training part, which training flatters too")
        scores = _scores(whole, metric)
    except Unknown as error:
        return about | {"not_corrected": str(error)}
    sign = 1.0 if is_better_high(metric) else -1.0
    settings = [[score.model(is_high_better=sign > 0) for score in of_setting] for of_setting in scores]
    share_of = len(_arrays(whole[0].results[0])["id"]) if metric.removeprefix("val/") in RIGHT else None
    selection = select(settings, share_of)
    value = whole[0].value or 0.0
    ends = sorted(value + sign * (end - selection.value) for end in (selection.low, selection.high))
    has_epochs = all(score.has_epochs for of_setting in scores for score in of_setting)
    return about | {
        "optimism": selection.optimism,
        "corrected": _within(value - sign * selection.optimism, metric),
        "corrected_interval": [_within(end, metric) for end in ends],
        "corrected_epochs": has_epochs,
        "corrected_notes": _notes(whole, metric, spread_over_noise(settings), has_epochs=has_epochs),
        "wins": selection.wins,
    }


def _scores(whole: list[RankedSetting], metric: str) -> list[list[Scores]]:
    """Return the scores of each setting's trials, one trial's outputs at a time: those of all would not fit.

    Raises:
        Unknown: Of a trial, or they are of different examples.
    """
    first = _arrays(whole[0].results[0])
    candidates = sum(result.epochs for ranked in whole for result in ranked.results)
    draws = int(min(MOST_DRAWS, max(FEWEST_DRAWS, CELLS / candidates)))
    if len(first["id"]) < 2:
        raise Unknown("one validation example says nothing of the noise")
    weights_BN = jitter.weights(draws, len(first["id"]), stream("noise"))
    scores = []
    for ranked in whole:
        of_setting = []
        for result in ranked.results:
            arrays = _arrays(result)
            if not np.array_equal(arrays["id"], first["id"]):
                raise Unknown("the settings are validated on different examples")
            of_setting.append(read_scores(result, metric, arrays, weights_BN))
        scores.append(of_setting)
    return scores


def _arrays(result: TrialResult) -> dict[str, np.ndarray]:
    try:
        return result.folder.predictions("val")
    except RunError as error:
        raise Unknown(f"trial {result.trial.id} has no stored predictions") from error


def _within(value: float, metric: str) -> float:
    """Return a value within what the metric can be."""
    name = metric.removeprefix("val/")
    if any(word in UNIT_METRICS for word in name.split("_")) and name != "median_error":
        return min(max(value, 0.0), 1.0)
    return min(value, 1.0) if name == "r2" else max(value, 0.0) if not is_better_high(metric) else value


def _notes(whole: list[RankedSetting], metric: str, spread: float, *, has_epochs: bool) -> list[str]:
    """Return in words what the correction does not cover."""
    notes = []
    if not has_epochs:
        notes.append(f"the choice of the best epoch is not corrected: no epoch's examples are kept for {metric}")
    num = len(_arrays(whole[0].results[0])["id"])
    if metric.removeprefix("val/") not in RIGHT:
        if num < FEW_EXAMPLES:
            notes.append(f"of {num} examples the optimism of {metric} may be taken for a third too large")
    elif (errors := round((1 - (whole[0].value or 0.0)) * num, 1)) < FEW_ERRORS:
        notes.append(
            f"the best errs on {errors:g} examples: with fewer than {FEW_ERRORS} the correction may be too large"
        )
    if spread > WIDE and len(whole) > MANY:
        notes.append(
            f"the settings differ by {spread:.1f} times their noise: the optimism may be taken for a third too large"
        )
    return notes
