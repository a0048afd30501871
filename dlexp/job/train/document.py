"""The documents of `dlexp train` besides a run's result: what a run would take, and a verification."""

from typing import Annotated

from typing_extensions import TypedDict

from dlexp.run.document import Parts, Task
from dlexp.type import Real, one_of


class PlannedGroup(TypedDict):
    """Trainings that run as one program.

    Attributes:
        size: How many.
        engine: One after another, or at once.
    """

    size: int
    engine: Annotated[str, one_of("solo", "fused")]


class TrainPlan(TypedDict):
    """What `dlexp train --dry-run` knows.

    Attributes:
        kind: "train".
        dry_run: True.
        task: Of the data.
        device: That it would train on.
        data: Counts by part.
        input_shape: Of one example.
        output_shape: Of a batch.
        num_params: Parameters of the model.
        trials: 1.
        groups: One of one trial.
        steps: Updates.
        memory: Bytes.
        disk: Bytes.
        seconds: Estimated, evaluation and checkpoints included.
    """

    kind: Annotated[str, one_of("train")]
    dry_run: bool
    task: Task
    device: str
    data: Parts
    input_shape: list[int]
    output_shape: list[int]
    num_params: int
    trials: int
    groups: list[PlannedGroup]
    steps: int
    memory: int
    disk: int
    seconds: float


class Verification(TypedDict):
    """What `dlexp train --verify-trial` finds.

    Attributes:
        kind: "verify".
        run_id: Names the run.
        run_dir: The run's folder.
        engine: That trained it.
        epochs: As far as the last checkpoint.
        threads: Of the original; None on a GPU.
        is_bitwise: Whether all is the same to the last bit.
        differences: The largest of each kind, by engine; None where nothing can be compared.
        reasons: What may have made the numbers differ.
    """

    kind: Annotated[str, one_of("verify")]
    run_id: str
    run_dir: str
    engine: str
    epochs: int | None
    threads: int | None
    is_bitwise: bool
    differences: dict[str, dict[str, Real | None]]
    reasons: list[str]
