"""The documents of `dlexp eval` and `dlexp predict`."""

from typing import Annotated, NotRequired

from typing_extensions import TypedDict

from dlexp.run.document import ClassReport, Confusion, Task
from dlexp.type import Metrics, one_of


class FoldScore(TypedDict):
    """What the model of a fold, or of a member of an ensemble, scores on the sealed test part.

    Attributes:
        repeat: Of a fold.
        fold: Of a fold.
        run_id: Names its run.
        metrics: By name, such as "test/accuracy".
    """

    repeat: NotRequired[int]
    fold: NotRequired[int]
    run_id: str
    metrics: Metrics


class OpenedTest(TypedDict):
    """What the models of a cv or an ensemble say together of the sealed test part, once it was opened.

    Attributes:
        models: How many.
        metrics: Of their mean.
        openings: How often it was opened.
        folds: The score of each model.
    """

    models: int
    metrics: Metrics
    openings: int
    folds: list[FoldScore]


class Scores(TypedDict):
    """Metrics of a model, or of a cv's or an ensemble's models together, on a part of the data.

    Attributes:
        num_examples: Of the part.
        metrics: By name, such as "val/accuracy".
        confusion_matrix: Rows are true classes, columns predicted ones; None for values.
        report: Metrics by class; empty for values, a cv and an ensemble.
        class_names: In the order of the matrix.
        positive: Of two classes, the one that precision, recall, F1 and average precision are of.
        openings: How often the test part of this run was opened.
        models: Of a cv or an ensemble, how many.
        folds: Of a cv or an ensemble, the score of each model on the test part.
    """

    num_examples: int
    metrics: Metrics
    confusion_matrix: Confusion | None
    report: ClassReport
    class_names: list[str]
    positive: NotRequired[str]
    openings: int
    models: NotRequired[int]
    folds: NotRequired[list[FoldScore]]


class Evaluation(Scores):
    """What `dlexp eval` finds.

    Attributes:
        kind: "eval".
        run_id: Names the run.
        run_dir: The run's folder.
        split: The part.
        metric: That the run is judged by; "" where no record says it.
        predictions: The file that they were stored in; None where the folder may only be read.
        warnings: Lines for the user.
    """

    kind: Annotated[str, one_of("eval")]
    run_id: str
    run_dir: str
    split: Annotated[str, one_of("val", "test")]
    metric: str
    predictions: str | None
    warnings: list[str]


# "class" is a word of Python's, so the forms are stated as calls
Said = TypedDict(
    "Said",
    {
        "class": NotRequired[str],
        "probability": NotRequired[float],
        "probabilities": NotRequired[dict[str, float]],
        "value": NotRequired[float],
    },
)
Prediction = TypedDict(
    "Prediction",
    {
        "id": str,
        "targets": NotRequired[dict[str, Said]],
        "class": NotRequired[str],
        "probability": NotRequired[float],
        "probabilities": NotRequired[dict[str, float]],
        "value": NotRequired[float],
        "similarity": NotRequired[float],
        "threshold": NotRequired[float],
        "error": NotRequired[float],
    },
)


class Asked(TypedDict):
    """Who predicts.

    Attributes:
        run_id: Names the run; of an exported file that which it was exported from.
        run_dir: The run's folder; "" of an exported file.
        file: The exported file.
    """

    run_id: str
    run_dir: str
    file: NotRequired[str]


class Predictions(Asked):
    """What `dlexp predict` finds.

    Attributes:
        kind: "predict".
        task: Of the data.
        models: Whose probabilities or values are averaged.
        warnings: Lines for the user.
        predictions: In order: `id`, and `class`, `probability` and `probabilities`, or `value`; of pairs `class`,
            `similarity` and `threshold`, above which they are called the same; of several targets `targets`, the
            answers to each by its name.
    """

    kind: Annotated[str, one_of("predict")]
    task: Task
    models: int
    warnings: list[str]
    predictions: list[Prediction]
