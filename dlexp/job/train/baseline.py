"""Whether a run is better than a guess: the most frequent class of the training part, or its mean value, for all."""

import math
from typing import Any

from dlexp.data.dataset import Dataset
from dlexp.data.fact.guess import guess
from dlexp.number import decimal


def no_better_than_guessing(data: Dataset, metrics: dict[str, Any]) -> str:
    """Return a line for the user where a run cannot be told from a guess; "" where it can.

    Args:
        data: With its parts.
        metrics: Of the run.
    """
    lines = [judge(name, metrics.get(name), floor, len(data.val)) for name, floor in guess(data).items()]
    return " ".join(lines)


def judge(name: str, value: float | None, floor: float, num: int) -> str:
    """Return a line for the user where a value cannot be told from a guess; "" where it can, or is no number.

    An accuracy has to lead by more than two standard errors of the guess's, sqrt(p (1 - p) / N); an rmse has to be
    smaller.

    Args:
        name: "val/accuracy" or "val/rmse".
        value: Of the model.
        floor: p, or the rmse, of the guess.
        num: N examples.
    """
    if value is None or not math.isfinite(value):
        return ""
    if name == "val/accuracy":
        error = standard_error(floor, num)
        guessed = f"guessing the most frequent class, {decimal(floor)} with a standard error of {decimal(error)}"
        return f"{name} {decimal(value)} is no better than {guessed}" if value <= floor + 2 * error else ""
    guessed = f"guessing the mean of the training targets, {floor:.4g}"
    return f"{name} {value:.4g} is no better than {guessed}" if value >= floor else ""


def standard_error(share: float, num: int) -> float:
    """Return that of a share of N examples, sqrt(p (1 - p) / N)."""
    return math.sqrt(share * (1 - share) / num)
