"""Metrics over a stack of trials, from confusion counts of our own.

`classification` and `regression` are cheap enough for every epoch; `classification_report` and `regression_report`
add what is asked once. No metric crosses the trial axis; a trial whose outputs are not finite gets NaN throughout.
"""

from dlexp.metric.classification import classification, classification_report, confusion_matrix
from dlexp.metric.reconstruction import reconstruction
from dlexp.metric.regression import regression, regression_report

__all__ = [
    "classification",
    "classification_report",
    "confusion_matrix",
    "reconstruction",
    "regression",
    "regression_report",
]
