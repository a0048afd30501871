"""Answers of made-up classifiers and models of values."""

import numpy as np

from dlexp.job.report.answer import Answers
from dlexp.statistic.measure import Measure

NAMES = ["cat", "dog", "owl"]


def classified(called: list[int], targets: list[int], sure: float = 4.0) -> Answers:
    """Return answers that name these classes of three, all equally sure."""
    outputs = np.eye(3)[called] * sure
    return Answers(np.arange(len(called)), np.array(targets), outputs, Measure())


def valued(outputs: list[float], targets: list[float]) -> Answers:
    """Return predicted values."""
    return Answers(np.arange(len(outputs)), np.array(targets), np.array(outputs), Measure())
