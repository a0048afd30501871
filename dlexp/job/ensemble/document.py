"""The document of `dlexp ensemble`."""

from typing import Annotated

from typing_extensions import TypedDict

from dlexp.job.compare.document import Pair
from dlexp.run.document import DataIdentity, Task
from dlexp.type import Metrics, Real, Span, one_of


class Member(TypedDict):
    """A model that was chosen.

    Attributes:
        run_id: Names its run or cv.
        run_dir: The folder.
        label: Its id and what tells its setting from the others'.
        weight: Its share of the mean, in (0, 1].
        value: What it scores by itself, by the metric of the choice.
        chosen: Share of the choices on other examples in which it is a member, in [0, 1].
    """

    run_id: str
    run_dir: str
    label: str
    weight: float
    value: Real
    chosen: float


class Standing(TypedDict):
    """A value of a metric.

    Attributes:
        value: On the held-out examples; of folds their mean.
        interval: Of 95 %.
    """

    value: Real
    interval: Span


class Score(TypedDict):
    """What the choice is worth by one metric.

    Attributes:
        metric: Such as "val/accuracy".
        flattered: Of the ensemble, on the very examples it was chosen on.
        nested: Of the ensemble: each example is predicted by what was chosen without it.
        best: Of the best single model, chosen and scored as the ensemble.
        equal: Of the mean of all models, of which nothing is chosen.
        mean_member: The mean over the models' own values.
        pairs: Of ensemble, best and equal every two, with Holm's correction.
    """

    metric: str
    flattered: Real
    nested: Standing
    best: Standing
    equal: Standing
    mean_member: Real
    pairs: list[Pair]


class SplitRecord(TypedDict):
    """One split of the examples, in the order in which predictions are stored.

    Attributes:
        repeat: From 0.
        fold: From 0.
        num: Examples.
        num_train: Examples that its models were trained on; 0 of a run's only split.
    """

    repeat: int
    fold: int
    num: int
    num_train: int


class EnsembleResult(TypedDict):
    """What `dlexp ensemble` chose.

    Attributes:
        kind: "ensemble".
        run_id: Names the ensemble.
        run_dir: Its folder.
        status: "finished".
        task: Of the data.
        data: Which they are.
        metric: That ensembles and runs are judged by: accuracy or rmse.
        chosen_by: The metric that the choice optimised.
        steps: Models that were added, most of them more than once.
        begin: The most models that the choice began with.
        bags: Choices from half of the models by lot; 0 is one choice from all.
        choices: How often members were chosen anew, each time without some examples.
        paired: How it is compared: as a run on one split, or by folds.
        num_models: That could be chosen.
        num_examples: That all were validated on.
        members: That were, the heaviest first.
        scores: By accuracy and log loss, or rmse; and by the metric of the choice where that is another.
        metrics: Of the nested predictions, such as "val/accuracy".
        splits: Of the stored predictions.
        notes: What the numbers alone do not say.
        choosing_seconds: That it took.
    """

    kind: Annotated[str, one_of("ensemble")]
    run_id: str
    run_dir: str
    status: Annotated[str, one_of("finished")]
    task: Task
    data: DataIdentity
    metric: str
    chosen_by: str
    steps: int
    begin: int
    bags: int
    choices: int
    paired: Annotated[str, one_of("train", "cv")]
    num_models: int
    num_examples: int
    members: list[Member]
    scores: list[Score]
    metrics: Metrics
    splits: list[SplitRecord]
    notes: list[str]
    choosing_seconds: float
