"""What a program takes, from its operations alone, and the order that leaves the fewest workers idle at the end.

seconds = epochs left * updates of an epoch * (U + 3 batch F / R), F the operations of an example forward and 3 F with
the way back, U what an update takes however small the model is, R operations a second. Only ratios count.

References:
    R. L. Graham (1969), Bounds on multiprocessing timing anomalies: the longest first ends within 4/3 of the best order
"""

import math
from collections.abc import Callable

from dlexp.build.components import Components
from dlexp.build.model import build_meta_model
from dlexp.execution.assignment import Assignment, Group
from dlexp.execution.estimate import epochs_left
from dlexp.model.summary import summarize

UPDATE_SECONDS = 2e-4  # of a small net on a core
RATE = 2e10  # of a core
BACKWARD = 3  # times the operations of a forward pass


def largest_first(groups: list[Group], num_workers: int) -> list[Group]:
    """Return programs in the order in which they are given out: those that take longest first, equal ones as they come.

    Nothing that is trained depends on it.

    Args:
        groups: A program each.
        num_workers: How many train at once.
    """
    if num_workers < 2 or len(groups) <= num_workers:
        return groups
    structures = {group.assignments[0].components.structure for group in groups}
    flops = _Flops() if len(structures) > 1 else lambda _components: 0  # of one structure epochs tell them apart
    return sorted(groups, key=lambda group: -_weight(group, flops))


def _weight(group: Group, flops: Callable[[Components], int]) -> float:
    return sum(seconds(assignment, flops) for assignment in group.assignments) / group.choice.gain


def seconds(assignment: Assignment, flops: Callable[[Components], int]) -> float:
    """Return about how long a trial trains alone.

    Args:
        assignment: With its components.
        flops: Returns the operations of a model for an example.
    """
    components = assignment.components
    batch = components.trainer.batch_size
    updates = math.ceil(len(components.data.train) / batch)
    return epochs_left(assignment) * updates * (UPDATE_SECONDS + BACKWARD * batch * flops(components) / RATE)


class _Flops:
    """The operations of models, each structure looked at once."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def __call__(self, components: Components) -> int:
        key = components.structure
        if key not in self._known:
            self._known[key] = _flops(components)
        return self._known[key]


def _flops(components: Components) -> int:
    """Return the operations of a model for an example; 0 where that cannot be told."""
    data = components.data
    try:
        return summarize(build_meta_model(components.config, data.in_shape, data.num_classes or 1), data.in_shape).flops
    except Exception:  # the user's code may raise anything; what cannot be built says so where it is trained
        return 0
