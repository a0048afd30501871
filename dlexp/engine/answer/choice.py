"""Which answer a task has: the only place that tells one kind of task from another for the engine."""

from dlexp.data.dataset import Dataset
from dlexp.engine.answer.answer import Answer
from dlexp.engine.answer.classes import Classes
from dlexp.engine.answer.pairs import SamePair
from dlexp.engine.answer.reconstruction import Reconstruction
from dlexp.engine.answer.several import Several
from dlexp.engine.answer.values import Values

KINDS: dict[str, type[Answer]] = {
    "multiclass": Classes,
    "binary": Classes,
    "regression": Values,
    "several": Several,
    "reconstruct": Reconstruction,
    "pairs": SamePair,
}


def answer_of(dataset: Dataset) -> Answer:
    """Return what the outputs of a model of these data mean."""
    kind = KINDS[dataset.task]
    if issubclass(kind, Several):
        return kind(tuple(dataset.heads))
    return kind(dataset.num_classes, dataset.positive) if issubclass(kind, Classes) else kind()


def record_kind(monitor: str, task: str) -> str | None:
    """Return what is kept of each example for a metric: bits, losses, values; None where it needs more than these.

    Args:
        monitor: For example val/accuracy.
        task: Of the data.
    """
    split, _, name = monitor.partition("/")
    return KINDS[task]().record_kind(name) if split == "val" else None
