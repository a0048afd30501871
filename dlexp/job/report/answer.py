"""The value of a run's metric on its validation examples, with an interval."""

from dataclasses import dataclass, replace

import numpy as np

from dlexp.data.joint.head import Head, of_target
from dlexp.run.folder import RunFolder
from dlexp.run.measure import read_heads, read_measure
from dlexp.statistic import score
from dlexp.statistic.bootstrap import interval, resample
from dlexp.statistic.bounded import bounds, rounding, within
from dlexp.statistic.dyad.members import Members
from dlexp.statistic.measure import Measure
from dlexp.statistic.proportion import wilson
from dlexp.statistic.stream import stream


@dataclass(frozen=True)
class Answers:
    """What a model answered on validation examples.

    Attributes:
        ids: (N,) names.
        targets: (N,) classes or values; (N, J) of several targets.
        outputs: (N, K) logits or (N,) values.
        measure: Constants of the metrics.
    """

    ids: np.ndarray
    targets: np.ndarray
    outputs: np.ndarray
    measure: Measure

    @property
    def is_finite(self) -> bool:
        """Whether every output is a number."""
        return bool(np.isfinite(self.outputs).all())


@dataclass(frozen=True)
class Score:
    """A metric on examples.

    Attributes:
        metric: With part: "val/accuracy".
        value: Of the metric.
        interval: 95 %, over other examples of the kind; None where there is none.
        num: Examples.
    """

    metric: str
    value: float
    interval: tuple[float, float] | None
    num: int


def read_answers(folder: RunFolder) -> Answers:
    """Return the stored answers on the validation part.

    Raises:
        RunError: There are none, or they are damaged.
    """
    stored = folder.predictions("val")
    return Answers(stored["id"], stored["target"], stored["output"], read_measure(folder))


def by_target(folder: RunFolder, answers: Answers) -> list[tuple[Head, Answers]]:
    """Return each of several targets with the answers to it; empty for one.

    Args:
        folder: Of the training, or of one of those whose answers were pooled.
        answers: To all targets.
    """
    heads = read_heads(folder) if answers.targets.ndim > 1 else []
    stored = {"id": answers.ids, "target": answers.targets, "output": answers.outputs}
    each = [of_target(stored, heads, place) for place in range(len(heads))]
    return [
        (head, Answers(alone["id"], alone["target"], alone["output"], replace(answers.measure, positive=head.positive)))
        for head, alone in zip(heads, each, strict=True)
    ]


def measure_score(answers: Answers, metric: str | None) -> Score:
    """Return a metric and its interval: Wilson's for an accuracy, of the bootstrap for others.

    Args:
        answers: On the validation part.
        metric: With part; accuracy or rmse where it is no function of outputs, as a loss.
    """
    num_classes = max(2, answers.outputs.shape[1]) if answers.outputs.ndim == 2 else 0
    known = score.names(num_classes, answers.measure.link)
    wanted = (metric or "").removeprefix("val/")
    name = wanted if wanted in known else known[0]
    weighted, num = score.weighted(name, answers.outputs, answers.targets, answers.measure), len(answers.targets)
    value = float(weighted(np.ones((1, num)))[0])
    members = Members.of_predictions(answers.ids, answers.measure.link)
    num_drawn = num if members is None else members.num
    if name == "accuracy":
        is_right_N = score.called(answers.outputs) == answers.targets
        worth = num if members is None else members.effective(value, is_right_N)
        return Score(f"val/{name}", value, wilson(value, worth), num)
    try:
        drawn_B1 = resample([weighted], num, generator=stream("bootstrap"), members=members)
        span = interval(value, drawn_B1[:, 0], num_drawn)
    except ValueError:  # undefined on most resamples, or a single example
        return Score(f"val/{name}", value, None, num)
    if span.standard_error <= rounding(bounds(name), np.array([value])):  # no error on few examples: none is known
        return Score(f"val/{name}", value, None, num)
    low, high = within([span.low, span.high], bounds(name))
    return Score(f"val/{name}", value, (low, high), num)
