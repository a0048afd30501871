"""The documents that run folders hold and ``--json`` prints: the results of trainings, and the record of a run."""

from typing import Annotated, Any, NotRequired

from typing_extensions import TypedDict

from dlexp.type import Metrics, Real, one_of

Ending = Annotated[str, one_of("finished", "stopped_early", "diverged", "interrupted", "failed")]
Task = Annotated[str, one_of("multiclass", "binary", "regression", "several", "reconstruct", "pairs")]
Mode = Annotated[str, one_of("max", "min")]


class DataIdentity(TypedDict):
    """Which data it is.

    Attributes:
        name: Of the data set.
        fingerprint: Equal for equal data with equal parts.
    """

    name: str
    fingerprint: str


class Parts(DataIdentity):
    """Which data it is, and how many examples each part has.

    Attributes:
        num_train: Examples of the training part.
        num_val: Examples of the validation part.
        num_test: Examples of the test part.
    """

    num_train: int
    num_val: int
    num_test: int


class TrainData(Parts):
    """The data of a training.

    Attributes:
        duplicates: Examples of a part that stand in an earlier part too, by part.
        train_counts: Examples of the training part by class.
        is_imbalanced: Whether classes are unequal enough to look at metrics by class.
        positive: Of two classes, the one that precision, recall, F1 and average precision are of.
    """

    duplicates: NotRequired[dict[str, int]]
    train_counts: NotRequired[dict[str, int]]
    is_imbalanced: NotRequired[bool]
    positive: NotRequired[str]


Confusion = list[list[int]]  # counts: rows are true classes, columns predicted ones


class ClassReport(TypedDict, total=False):
    """Metrics of each class by its name, and the confusion matrix; empty for values.

    Attributes:
        precision_class: Of the examples called so, those that are.
        recall_class: Of the examples that are, those called so.
        f1_class: The harmonic mean of both.
        fbeta_class: The same with recall weighted by `metric.beta`.
        roc_auc_class: Of the class against all others.
        support_class: Examples.
        confusion: Counts.
    """

    precision_class: Metrics
    recall_class: Metrics
    f1_class: Metrics
    fbeta_class: Metrics
    roc_auc_class: Metrics
    support_class: Metrics
    confusion: Confusion


class FoldRecord(TypedDict):
    """One training of a cv.

    Attributes:
        fold: Its number within the repeat, from 0.
        repeat: From 0.
        seed: Of the replicate.
        run_id: Names its run.
        status: How it ended.
        metrics: Of its best epoch.
    """

    fold: int
    repeat: int
    seed: int
    run_id: str
    status: Ending
    metrics: Metrics


class SelectionBias(TypedDict, total=False):
    """What having been picked does to the best score.

    Attributes:
        picked_among: Settings; 1 where the epoch alone was picked.
        optimism: By how much the best score flatters.
        corrected: The score without it.
        corrected_interval: Of 95 %, lower end and upper end.
        corrected_epochs: Whether the choice of the best epoch is in it.
        corrected_notes: What it does not cover, in words.
        not_corrected: The reason, in place of all but `picked_among`.
        wins: Share of validation parts drawn anew that the winner is best on, in [0, 1]; of two settings and more.
    """

    picked_among: int
    optimism: float
    corrected: float
    corrected_interval: list[float]
    corrected_epochs: bool
    corrected_notes: list[str]
    not_corrected: str
    wins: float


class EpochSelection(SelectionBias):
    """What the choice of a run's best epoch does to its value.

    Attributes:
        metric: That chose it, such as "val/accuracy".
        value: Of that metric at the best epoch.
    """

    metric: str
    value: float


class Cause(TypedDict):
    """Why a training did not learn, as far as it shows; `dlexp diagnose` says more.

    Attributes:
        rule: That fired.
        statistic: What it reads.
        value: Of the statistic; None for one that is not finite.
        where: Of which layer or input; "" for the whole.
        healthy: Its healthy range.
        consequence: What it does to the training.
        override: That may cure it; None where none is known.
        command: The training with it; None without.
    """

    rule: str
    statistic: str
    value: Real | None
    where: str
    healthy: str
    consequence: str
    override: str | None
    command: str | None


class TrainResult(TypedDict):
    """The result of a training: a run, a trial or a fold.

    Attributes:
        kind: "train"; of a trial of a sweep or an inner fold "trial".
        run_id: Names the run.
        run_dir: The run's folder.
        status: How it ended.
        task: Of the data.
        device: That it trained on.
        seed: Of the run.
        own_metrics: Names of the user's metrics; absent in runs of version 0.1.
        metric: That chose the best epoch; absent in runs of version 0.1.
        guess: What the most frequent class of the training part, or its mean, scores for all; absent as `metric` is.
        neighbors: What the 5 nearest neighbours score; absent where that is off, or many examples make it slow.
        epochs: Epochs done.
        best_epoch: The epoch whose metrics these are; 0 where there is none.
        metrics: By part and name, such as "val/accuracy".
        selection: What the choice of the best epoch did to the metric that chose it; absent where none was chosen.
        report: By part: metrics by class, and the confusion matrix.
        finding: Why it did not learn; absent where nothing was seen to be wrong.
        num_params: Parameters of the model.
        seconds: Of training.
        data: Of the run.
    """

    kind: Annotated[str, one_of("train", "trial")]
    run_id: str
    run_dir: str
    status: Ending
    task: Task
    device: str
    seed: int
    own_metrics: NotRequired[list[str]]
    metric: NotRequired[str]
    guess: NotRequired[Metrics]
    neighbors: NotRequired[Metrics]
    epochs: int
    best_epoch: int
    metrics: Metrics
    selection: NotRequired[EpochSelection]
    report: NotRequired[dict[str, ClassReport]]
    finding: NotRequired[Cause]
    num_params: int
    seconds: float
    data: TrainData


class JobCounts(TypedDict):
    """How far the jobs of a detached run are, as they say themselves.

    Attributes:
        waiting: That have not begun, or wait to begin again.
        running: That have begun.
        ended: That came to an end.
    """

    waiting: int
    running: int
    ended: int


class RunRecord(TypedDict):
    """A run in the list of `dlexp runs`: its result, where there is one, with these fields in any case.

    Attributes:
        run_id: Names the run.
        run_dir: The run's folder.
        slug: What its overrides say, in short.
        kind: "train", "sweep", "cv" or "ensemble"; None in a damaged manifest, as the next six.
        status: How far it has come.
        experiment: Its folder among the runs.
        task: Of the data.
        device: That it trains on.
        seed: Of the run.
        start: ISO 8601.
        end: ISO 8601; None while it runs.
        params: What its overrides changed, by config path.
        metrics: Of the best epoch; of a sweep or cv the winner's; of a run that is not over those of its last epoch.
        metric: What runs are judged by, such as "val/accuracy"; None where it is not known.
        value: Of that metric; None without one.
        validated_on: Equal for runs whose scores can be ranked: of the same validation examples or folds; None where an
            earlier version did not write it.
        note: What the user wrote about it; empty without.
        tags: That the user gave it.
        epochs: Epochs done.
        planned_epochs: Of a training that is not over: how many it should have; None where it is not known.
        seconds: Of training.
        jobs: Of a run whose trials are left to jobs.
    """

    run_id: str
    run_dir: str
    slug: str
    kind: str | None
    status: str
    experiment: str | None
    task: str | None
    device: str | None
    seed: int | None
    start: str | None
    end: str | None
    params: dict[str, Any]
    metrics: Metrics
    metric: str | None
    value: Real | None
    validated_on: str | None
    note: str
    tags: list[str]
    jobs: NotRequired[JobCounts]
    epochs: NotRequired[int]
    planned_epochs: NotRequired[int | None]
    seconds: NotRequired[float]
