"""Whether a cv is better than a guess made in each fold: its training part's most frequent class, or mean, for all.

Where it is not, the first finding on a fold says why.
"""

import math
from dataclasses import replace

from dlexp.build.components import Components
from dlexp.data.dataset import Dataset
from dlexp.data.fact.guess import guess
from dlexp.data.fold import Fold
from dlexp.diagnose.trained import first_lines
from dlexp.engine.answer.choice import answer_of
from dlexp.error import DlexpError
from dlexp.execution.aside import call
from dlexp.job.cv.aggregate import are_single
from dlexp.job.cv.document import AnyCVResult, Guess
from dlexp.job.cv.fold_run import FoldResult
from dlexp.launcher.launcher import Launcher
from dlexp.statistic.proportion import judge, standard_error
from dlexp.statistic.spread import mean as mean_of
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
        floor = math.sqrt(mean_of([value**2 for value in floors]))
    else:
        floor = mean_of(floors)
    num = len({row for fold in folds for row in fold.val.tolist()})
    line = judge(name, mean.get(name), floor, num)
    error = standard_error(floor, num) if dataset.num_classes else None
    return {"metric": name, "value": floor, "standard_error": error, "is_beaten": not line, "note": line}


def why(dataset: Dataset, launcher: Launcher, result: AnyCVResult, ends: list[FoldResult]) -> list[str]:
    """Return the first finding on why a cv, or the best of its settings, is a guess, or why a fold diverged.

    Args:
        dataset: Whole.
        launcher: Where folds train.
        result: Of the cv.
        ends: Of all its folds.
    """
    best = result["settings"][0] if "settings" in result else result
    is_guess = not best.get("guess", {}).get("is_beaten", True)
    of_best = [end for end in ends if "settings" not in result or end.fold_run.cv.run_id == best["run_id"]]
    bad = [end for end in of_best if is_guess or end.record["status"] == "diverged"]
    if not bad or not (is_guess or result["status"] == "diverged"):
        return []
    first = min(bad, key=lambda end: end.fold_run.place[:3])
    folder, fold = first.fold_run.cv.child(first.record["run_id"]), first.fold
    components = Components(first.fold_run.config, dataset.with_parts(fold.train, fold.val))
    try:
        lines = call(first_lines, launcher, components, folder.path)
    except DlexpError as error:
        lines = [f"why could not be looked into: {error}"]
    return [f"{first.fold_run.words}: {line}" for line in lines]
