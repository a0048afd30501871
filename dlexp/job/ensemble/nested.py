"""What a choice is worth: each example is predicted by what was chosen without it.

The models of an ensemble that was chosen on examples fit these better than others of the kind. So the examples are
dealt into k heaps; members and weights are chosen on k - 1 of them, and what was chosen speaks of the one left out. Of
a cv its folds are the heaps, left out whole in every repeat, so that groups stay together.

Shapes: M models, N held-out predictions, K classes (1 for values).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from dlexp.error import ConfigError
from dlexp.job.ensemble.greedy import Rule, best_alone, choose
from dlexp.job.ensemble.library import Library
from dlexp.statistic.stream import stream

DEALT = 5  # into how many the validation part of runs is dealt, unless the user says otherwise
MOST_DEALT = 10  # a cv of more folds leaves them out in this many heaps: each costs a choice


@dataclass(frozen=True)
class Nested:
    """What was said of each example without it.

    Attributes:
        ensemble_NK: By the ensemble: log probabilities or values.
        best_NK: By the single model that was best on the other examples.
        weights: Of each choice, (M,).
    """

    ensemble_NK: np.ndarray
    best_NK: np.ndarray
    weights: list[np.ndarray]


def nest(library: Library, rule: Rule, num_dealt: int | None, tell: Callable[[int, int], None]) -> Nested:
    """Choose once for each set of examples that is left out.

    Args:
        library: The models.
        rule: How to choose.
        num_dealt: Into how many the examples of one split are dealt; None is `DEALT`. Folds of cvs are dealt already.
        tell: Told how many choices are made, and how many there are.

    Raises:
        ConfigError: It was said for cvs, or there are too few examples.
    """
    left_out = _folds(library, num_dealt) if library.is_cv else _dealt(library, num_dealt or DEALT)
    answers_MNK = library.answers_MNK
    ensemble_NK, best_NK, weights = np.empty(answers_MNK.shape[1:]), np.empty(answers_MNK.shape[1:]), []
    for number, rows in enumerate(left_out, 1):
        others = ~np.isin(library.ids_N, library.ids_N[rows])
        seen = answers_MNK[:, others], library.targets_N[others]
        chosen_M = choose(*seen, rule, library.measure)
        weights.append(chosen_M)
        ensemble_NK[rows] = library.together(chosen_M)[rows]
        best_NK[rows] = library.said_MNK[best_alone(*seen, rule.metric, library.measure)][rows]
        tell(number, len(left_out))
    return Nested(ensemble_NK, best_NK, weights)


def _dealt(library: Library, num: int) -> list[np.ndarray]:
    """Return the examples of one split, dealt by lot with as many of each class to each."""
    total = len(library.ids_N)
    if num > total // 2:
        raise ConfigError(f"--heaps: got {num}; {total} validation examples can be dealt into at most {total // 2}")
    order = stream("example folds").permutation(total)
    if library.is_classes:
        order = order[np.argsort(library.targets_N[order], kind="stable")]
    return [np.sort(order[start::num]) for start in range(num)]


def _folds(library: Library, num_dealt: int | None) -> list[np.ndarray]:
    """Return the rows of each fold of each repeat; of many folds several together."""
    if num_dealt is not None:
        raise ConfigError(f"--heaps: got {num_dealt} beside cvs, whose own folds are left out; leave it away")
    repeats = sorted({repeat for repeat, _ in library.splits})
    return [rows for repeat in repeats for rows in _heaps(library, repeat)]


def _heaps(library: Library, repeat: int) -> Iterator[np.ndarray]:
    folds = [fold for at, fold in library.splits if at == repeat]
    num = min(len(folds), MOST_DEALT)
    for start in range(num):
        slices = [library.splits[repeat, fold] for fold in folds[start::num]]
        yield np.concatenate([np.arange(rows.start, rows.stop) for rows in slices])
