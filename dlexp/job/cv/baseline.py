"""Whether a cv is better than a guess made in each fold: its training part's most frequent class, or mean, for all."""

import math
import statistics
from dataclasses import replace

from dlexp.data.dataset import Dataset
from dlexp.data.fact.guess import guess
from dlexp.data.fold import Fold
from dlexp.engine.answer.choice import answer_of
from dlexp.job.cv.aggregate import are_single
from dlexp.job.cv.document import Guess
from dlexp.statistic.proportion import judge, standard_error
from dlexp.type import Metrics


def guess_of(dataset: Dataset, folds: list[Fold], mean: Metrics) -> Guess:
    """Return what guessing scores in the folds, and what that says of the cv.

    The mean over folds stands against the mean over folds; where a fold holds out one example the rmse is that of the
    pooled guesses, as the cv's own is. An accuracy is judged by the standard error of all different held-out examples.

    Args:
        dataset: Whole.
        folds: Of all repeats.
        mean: Of the cv.
    """
    floors: list[float] = []
    name = f"val/{answer_of(dataset).headline(is_single=False)}"
    for fold in folds:
        # inputs that are settled on the training part play no role, drawn pairs do
        if dataset.origin is None:
            divided = replace(dataset, train=fold.train, val=fold.val)
        else:
            divided = dataset.with_parts(fold.train, fold.val)
        floors.append(guess(divided)[name])
    if are_single(folds) and not dataset.num_classes:
        floor = math.sqrt(statistics.fmean(value**2 for value in floors))
    else:
        floor = statistics.fmean(floors)
    num = len({row for fold in folds for row in fold.val.tolist()})
    line = judge(name, mean.get(name), floor, num)
    error = standard_error(floor, num) if dataset.num_classes else None
    return {"metric": name, "value": floor, "standard_error": error, "is_beaten": not line, "note": line}
