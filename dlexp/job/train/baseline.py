"""Whether a run is better than a guess: the most frequent class of the training part, or its mean value, for all."""

from typing import Any

from dlexp.data.dataset import Dataset
from dlexp.data.fact.guess import guess, num_guessed
from dlexp.statistic.proportion import judge


def no_better_than_guessing(data: Dataset, metrics: dict[str, Any]) -> str:
    """Return a line for the user where a run cannot be told from a guess; "" where it can, in any of its targets.

    Args:
        data: With its parts.
        metrics: Of the run.
    """
    floors = guess(data)
    lines = [judge(name, metrics.get(name), floor, num_guessed(data, name)) for name, floor in floors.items()]
    return " ".join(lines) if all(lines) else ""
