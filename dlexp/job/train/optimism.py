"""What the best of epochs, and of settings, is worth once its having been picked is taken into account."""

from dataclasses import dataclass

import numpy as np

from dlexp.direction import is_better_high
from dlexp.engine.answer.classes import RIGHT
from dlexp.error import RunError
from dlexp.job.train.evidence import Candidate, Scores, Unknown, read_scores
from dlexp.number import noun
from dlexp.run.document import SelectionBias
from dlexp.statistic import jitter
from dlexp.statistic.bounded import bounds, within
from dlexp.statistic.dyad.members import Members
from dlexp.statistic.score import called
from dlexp.statistic.selection import select, spread_over_noise
from dlexp.statistic.stream import stream

MOST_DRAWS, FEWEST_DRAWS = 400, 50  # pairs of opposite sign
CELLS = 5e6  # draws times candidates, eight bytes each
# Where `benchmarks.statistic.selection` finds the correction too large: the noise is far from normal.
FEW_ERRORS = 5  # of the winner, for shares of right examples
FEW_EXAMPLES = 100  # for other metrics
WIDE, MANY = 2.0, 10  # deviations of one setting's noise by which more than so many settings differ


@dataclass(frozen=True)
class Setting:
    """What competes: models that differ in their seed only, and their mean value."""

    models: list[Candidate]
    value: float


def optimism_of(whole: list[Setting], metric: str) -> SelectionBias:
    """Return what picking did to the best setting's value, and the best epoch's.

    Empty where one value alone was there to be picked.

    Args:
        whole: The settings that have a value, best first; one alone had its epoch picked.
        metric: The objective.
    """
    if len(whole) < 2 and all(model.epochs < 2 for setting in whole for model in setting.models):
        return {}
    about: SelectionBias = {"picked_among": len(whole)}
    try:
        if not metric.startswith("val/"):
            raise Unknown(f"{metric} is measured on the training part, which training flatters too")
        first = _arrays(whole[0].models[0])
        scores = _scores(whole, metric, first)
    except Unknown as error:
        return about | {"not_corrected": str(error)}
    has_epochs = all(score.has_epochs for of_setting in scores for score in of_setting)
    if len(whole) < 2 and not has_epochs:
        return about | {"not_corrected": f"no epoch's examples are kept for {metric}"}
    sign = 1.0 if is_better_high(metric) else -1.0
    settings = [[score.model(is_high_better=sign > 0) for score in of_setting] for of_setting in scores]
    selection = select(settings, _worth(whole[0], first) if metric.removeprefix("val/") in RIGHT else None)
    value = whole[0].value
    ends = sorted(value + sign * (end - selection.value) for end in (selection.low, selection.high))
    return (
        about
        | {
            "optimism": selection.optimism,
            "corrected": within([value - sign * selection.optimism], bounds(metric))[0],
            "corrected_interval": within(ends, bounds(metric)),
            "corrected_epochs": has_epochs,
            "corrected_notes": _notes(
                whole, metric, len(first["id"]), spread_over_noise(settings), has_epochs=has_epochs
            ),
        }
        | ({"wins": selection.wins} if len(whole) > 1 else {})
    )


def _scores(whole: list[Setting], metric: str, first: dict[str, np.ndarray]) -> list[list[Scores]]:
    """Return the scores of each setting's trials, one trial's outputs at a time: those of all would not fit.

    Args:
        whole: The settings, best first.
        metric: The objective.
        first: Predictions of the best one's first model.

    Raises:
        Unknown: Of a trial, or they are of different examples.
    """
    candidates = sum(model.epochs for setting in whole for model in setting.models)
    draws = int(min(MOST_DRAWS, max(FEWEST_DRAWS, CELLS / candidates)))
    if len(first["id"]) < 2:
        raise Unknown("one validation example says nothing of the noise")
    members = _members(whole[0], first)
    num_drawn = len(first["id"]) if members is None else members.num
    weights_BN = jitter.weights(draws, num_drawn, stream("noise"))
    weights_BN = weights_BN if members is None else members.added(weights_BN)
    scores = []
    for setting in whole:
        of_setting = []
        for model in setting.models:
            arrays = first if model is whole[0].models[0] else _arrays(model)
            if not np.array_equal(arrays["id"], first["id"]):
                raise Unknown("the settings are validated on different examples")
            of_setting.append(read_scores(model, metric, arrays, weights_BN))
        scores.append(of_setting)
    return scores


def _worth(best: Setting, arrays: dict[str, np.ndarray]) -> float:
    """Return how many independent examples a setting's share of right answers is of."""
    members = _members(best, arrays)
    if members is None:
        return len(arrays["id"])
    is_right_N = called(arrays["output"]) == arrays["target"]
    return members.effective(float(is_right_N.mean()), is_right_N)


def _members(setting: Setting, arrays: dict[str, np.ndarray]) -> Members | None:
    return Members.of(arrays["id"]) if setting.models[0].dataset.pairs is not None else None


def _arrays(model: Candidate) -> dict[str, np.ndarray]:
    try:
        return model.folder.predictions("val")
    except RunError as error:
        raise Unknown(f"run {model.folder.run_id} has no stored predictions") from error


def _notes(whole: list[Setting], metric: str, num: int, spread: float, *, has_epochs: bool) -> list[str]:
    """Return in words what the correction does not cover."""
    notes = []
    if not has_epochs:
        notes.append(f"the choice of the best epoch is not corrected: no epoch's examples are kept for {metric}")
    if metric.removeprefix("val/") not in RIGHT:
        if num < FEW_EXAMPLES:
            notes.append(f"of {noun(num, 'example')} the optimism of {metric} may be taken for a third too large")
    elif (errors := round((1 - whole[0].value) * num, 1)) < FEW_ERRORS:
        notes.append(
            f"the best errs on {errors:g} of {noun(num, 'example')}: with fewer than {FEW_ERRORS} "
            "the correction may be too large"
        )
    if spread > WIDE and len(whole) > MANY:
        notes.append(
            f"the settings differ by {spread:.1f} times their noise: the optimism may be taken for a third too large"
        )
    return notes
