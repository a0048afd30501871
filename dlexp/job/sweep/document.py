"""The documents of `dlexp sweep`: the result of a search, and what a search would take."""

from typing import Annotated, Any, NotRequired

from typing_extensions import TypedDict

from dlexp.job.train.document import PlannedGroup
from dlexp.run.document import Ending, Mode, SelectionBias
from dlexp.type import Metrics, Real, one_of

DECISIONS = "decisions.jsonl"  # in the folder of a sweep without rounds
ON_TIMING = f"which settings were tried depends on which trials ended first; {DECISIONS} has the order"


class TrialRecord(TypedDict):
    """One trial of a sweep.

    Attributes:
        run_id: Names the trial; None where the setting cannot be trained.
        run_dir: Its folder.
        number: Of the setting; its seeds share it.
        round: That asked for it last.
        status: How it ended.
        overrides: The setting.
        value: Of the objective at its best epoch; None without one.
        metrics: Of that epoch.
        epochs: Epochs done.
        seconds: Of training.
        error: Why it has no value.
    """

    run_id: str | None
    run_dir: str | None
    number: int
    round: int
    status: Annotated[str, one_of("finished", "stopped_early", "diverged", "failed", "interrupted", "invalid")]
    overrides: dict[str, Any]
    value: Real | None
    metrics: Metrics
    epochs: int
    seconds: float
    error: NotRequired[str]


class DetachedSweep(TypedDict):
    """A sweep whose trials are left to jobs.

    Attributes:
        run_id: Names the sweep.
        run_dir: Its folder.
        status: "detached".
        jobs: That have not ended.
    """

    run_id: str
    run_dir: str
    status: Annotated[str, one_of("detached")]
    jobs: int


class BestSetting(TrialRecord, SelectionBias):
    """The winner: its first trial, with the value of the setting over its seeds.

    Attributes:
        std: Over seeds; None for one.
        seeds: How many.
        ties: Settings within the noise of seeds.
        edges: "key: lower" or "key: upper" where the winner lies at the edge of what was searched.
        command: Trains it anew.
        is_guess: Whether it cannot be told from a guess; absent in runs of version 0.1.
    """

    std: Real | None
    seeds: int
    ties: int
    edges: list[str]
    command: str
    is_guess: NotRequired[bool]


class SeedSpread(TypedDict):
    """Mean and standard deviation over seeds, by metric.

    Attributes:
        runs: How many.
        mean: Of metrics that every run has.
        std: None for one run.
    """

    runs: int
    mean: dict[str, float]
    std: dict[str, float | None]


class SweepResult(TypedDict):
    """What a search found.

    Attributes:
        kind: "sweep".
        run_id: Names the sweep.
        run_dir: The sweep's folder.
        status: How it ended.
        strategy: The option of `search`.
        metric: The objective.
        mode: Its direction.
        trials: In the order asked.
        guess: What the most frequent class of the training part, or its mean, scores for all.
        positive: Of two classes, the one that precision, recall, F1 and average precision are of.
        best: The winner; None without one.
        metrics: Best, mean, standard deviation and count over settings.
        importances: By dimension; they add up to 1.
        importances_note: What they are good for, or why there are none.
        groups: The programs that this process began.
        moves: Why ranges moved.
        depends_on_timing: True where which settings were tried depended on which trials ended first.
        seconds: Of the search, over all resumes.
        spread: Of a sweep over the seeds of a winner.
        test: Of the same, once the test part was opened.
    """

    kind: Annotated[str, one_of("sweep")]
    run_id: str
    run_dir: str
    status: Ending
    strategy: str
    metric: str
    mode: Mode
    trials: list[TrialRecord]
    guess: Metrics
    positive: NotRequired[str]
    best: BestSetting | None
    metrics: Metrics
    importances: dict[str, float]
    importances_note: NotRequired[str]
    groups: list[PlannedGroup]
    moves: list[str]
    depends_on_timing: NotRequired[bool]
    seconds: float
    spread: NotRequired[SeedSpread]
    test: NotRequired[SeedSpread]


class TrialGroup(TypedDict):
    """The trials of one structure.

    Attributes:
        size: Trainings.
        settings: What the first has that others may not have.
        epochs: Of all of them.
        num_params: Parameters of the model.
        engine: How they would train.
        stack: Trials at once; None where not measured.
        gain: Times faster than one after another; None where not measured.
        reason: Why so.
        memory: Bytes.
        epoch_seconds: Of one trial.
    """

    size: int
    settings: dict[str, Any]
    epochs: int
    num_params: int
    engine: Annotated[str, one_of("solo", "fused", "not measured")]
    stack: int | None
    gain: Real | None
    reason: str
    memory: NotRequired[int]
    epoch_seconds: NotRequired[float]


class SweepPlan(TypedDict):
    """What `dlexp sweep --dry-run` knows.

    Attributes:
        kind: "sweep".
        dry_run: True.
        strategy: The option of `search`.
        metric: The objective.
        settings: How many.
        trials: Settings times seeds.
        rounds: Of the strategy.
        invalid: Settings that cannot be trained.
        skipped: A line for each reason.
        left_out: A line for each fixed key that only some of the searched options have.
        groups: By structure.
        device: That it would train on.
        num_params: Of the smallest and the largest model.
        workers: Processes.
        memory: Bytes.
        memory_process: Bytes of torch itself.
        memory_free: Bytes.
        disk: Bytes.
        disk_free: Bytes.
        seconds: Estimated.
        spent: Seconds by what they are spent on.
        measured: Structures that were measured.
    """

    kind: Annotated[str, one_of("sweep")]
    dry_run: bool
    strategy: str
    metric: str
    settings: int
    trials: int
    rounds: int
    invalid: list[TrialRecord]
    skipped: list[str]
    left_out: list[str]
    groups: list[TrialGroup]
    device: str
    num_params: list[int]
    workers: int
    memory: int
    memory_process: int
    memory_free: int
    disk: int
    disk_free: int
    seconds: float
    spent: dict[str, float]
    measured: int
