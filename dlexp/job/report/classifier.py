"""Where a classifier errs, and whether its probabilities can be believed. Shapes: N examples, K classes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dlexp.job.report.answer import Answers
from dlexp.job.report.picture import drawing
from dlexp.number import decimal, noun
from dlexp.report.model import Figure, Row, Table
from dlexp.statistic import score
from dlexp.statistic.calibration import reliability
from dlexp.statistic.proportion import wilson

if TYPE_CHECKING:
    from dlexp.figure.style.canvas import Figure as MatplotlibFigure


MOST_PAIRS = 40
MOST_DRAWN = 60  # classes of a confusion matrix


def confusion(answers: Answers, names: Sequence[str]) -> np.ndarray:
    """Return counts (K, K): entry i, j is examples of class i that are called j."""
    counts_KK = np.zeros((len(names), len(names)), dtype=np.int64)
    np.add.at(counts_KK, (answers.targets.astype(int), score.called(answers.outputs)), 1)
    return counts_KK


def confusion_block(counts_KK: np.ndarray, names: Sequence[str], split: str = "validation") -> Figure | Table:
    """Return the confusion as row percentages, its mistakes in the table behind it; of very many classes that alone.

    Args:
        counts_KK: From `confusion`.
        names: Of the classes.
        split: What the examples were.
    """
    wrong_KK = counts_KK - np.diag(np.diag(counts_KK))
    pairs = [(int(wrong_KK[i, j]), int(i), int(j)) for i, j in np.argwhere(wrong_KK)]
    pairs.sort(key=lambda pair: (-pair[0], pair[1:]))
    support_K = counts_KK.sum(1)
    rows = [Row((names[i], names[j], count, float(100 * count / support_K[i]))) for count, i, j in pairs[:MOST_PAIRS]]
    more = f", the {MOST_PAIRS} most frequent of {len(pairs)}" if len(pairs) > MOST_PAIRS else ""
    table = Table(f"mistakes by kind{more}", ("true", "called", "examples", "% of the class"), rows)
    total, wrong = int(counts_KK.sum()), int(wrong_KK.sum())
    worst = f"; most often {names[pairs[0][1]]} is called {names[pairs[0][2]]} ({pairs[0][0]})" if pairs else ""
    finding = f"{wrong:,} of {noun(total, 'example')} are called wrong{worst}."
    if len(names) > MOST_DRAWN:
        return table

    def draw() -> "MatplotlibFigure":
        from dlexp.figure.confusion import confusion_figure

        return confusion_figure(counts_KK, list(names), f"{split}: confusion in %", is_in_percent=True)

    return Figure("Confusion", finding, drawing(draw), table)


def class_block(counts_KK: np.ndarray, names: Sequence[str]) -> Figure:
    """Return the recall of each class with its interval; the table has precision and F1 too."""
    hits_K, support_K, called_K = np.diag(counts_KK), counts_KK.sum(1), counts_KK.sum(0)
    there = [k for k in range(len(names)) if support_K[k]]
    recalls = [float(hits_K[k] / support_K[k]) for k in there]
    ends = [wilson(recall, int(support_K[k])) for recall, k in zip(recalls, there, strict=True)]
    precisions = [float(hits_K[k] / called_K[k]) if called_K[k] else None for k in there]
    f1 = [float(2 * hits_K[k] / (support_K[k] + called_K[k])) for k in there]
    rows = [
        Row((names[k], int(support_K[k]), recall, f"{decimal(low)} to {decimal(high)}", precision, score_))
        for k, recall, (low, high), precision, score_ in zip(there, recalls, ends, precisions, f1, strict=True)
    ]
    lowest = min(range(len(there)), key=lambda place: recalls[place])
    least = there[lowest]
    finding = (
        f"The lowest recall is that of {names[least]}: {int(hits_K[least])} of {int(support_K[least])} "
        f"({decimal(ends[lowest][0])} to {decimal(ends[lowest][1])})."
    )
    mean = float(hits_K.sum() / support_K.sum())

    def draw() -> "MatplotlibFigure":
        from dlexp.figure.answer.by_class import class_figure

        return class_figure([names[k] for k in there], recalls, ends, mean)

    columns = ("class", "examples", "recall", "95 % interval", "precision", "F1")
    table = Table("validation examples by class", columns, rows)
    return Figure("Each class", finding, drawing(draw), table)


def reliability_block(answers: Answers, error: float | None) -> Figure:
    """Return how often predictions of a confidence are right.

    Args:
        answers: On the validation part.
        error: The calibration error that the run recorded; None without one.
    """
    confidence_N = score.probabilities(answers.outputs, answers.measure.link).max(1)
    is_right_N = score.called(answers.outputs) == answers.targets
    bins = reliability(confidence_N, is_right_N)
    rows = [
        Row((f"{b.low:.1f} to {b.high:.1f}", b.num, b.confidence, b.share, _span(b.interval))) for b in bins if b.num
    ]
    lead = float(confidence_N.mean() - is_right_N.mean())
    mood = "too sure" if lead > 0 else "not sure enough"
    known = "" if error is None else f"; the calibration error is {decimal(error)}"
    finding = f"On average {decimal(abs(lead))} {mood}{known}."

    def draw() -> "MatplotlibFigure":
        from dlexp.figure.answer.calibration import calibration_figure

        return calibration_figure(bins)

    columns = ("confidence", "examples", "mean confidence", "share right", "95 % interval")
    table = Table("predictions by confidence", columns, rows)
    return Figure("Reliability", finding, drawing(draw), table)


def similarity_block(answers: Answers, names: Sequence[str]) -> Figure:
    """Return how far above the threshold the similarities of both kinds of pairs are, and their ROC curve.

    Args:
        answers: On the validation part: threshold and similarity.
        names: Of the classes different and same.
    """
    lead_N = answers.outputs[:, 1].astype(np.float64) - answers.outputs[:, 0]
    rows = []
    for k, name in enumerate(names):
        of_kind = lead_N[answers.targets == k]
        low, middle, high = np.quantile(of_kind, (0.05, 0.5, 0.95)).tolist()
        rows.append(Row((name, len(of_kind), low, middle, high, float((of_kind > 0).mean()))))
    rate = score.weighted("eer", answers.outputs, answers.targets, answers.measure)(np.ones((1, len(lead_N))))[0]
    area = score.weighted("roc_auc", answers.outputs, answers.targets, answers.measure)(np.ones((1, len(lead_N))))[0]
    finding = (
        f"The area under the ROC curve is {decimal(float(area))}, the equal error rate {decimal(float(rate))}; the "
        "threshold was chosen on training pairs. Pairs share inputs: intervals take them for independent, and are too "
        "narrow."
    )

    def draw() -> "MatplotlibFigure":
        from dlexp.figure.answer.similarity import similarity_figure

        return similarity_figure(lead_N, answers.targets, names)

    columns = ("pairs", "number", "5 %", "median", "95 % of similarity over the threshold", "called the same")
    return Figure("Similarity", finding, drawing(draw), Table("validation pairs by kind", columns, rows))


def _span(ends: tuple[float, float]) -> str:
    return f"{decimal(ends[0])} to {decimal(ends[1])}"
