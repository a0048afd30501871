"""The documents of `dlexp cv --dry-run` and `dlexp cv --audit`."""

from typing import Annotated, Any

from typing_extensions import TypedDict

from dlexp.run.document import Parts, Task
from dlexp.type import Real, one_of


class CVGroup(TypedDict):
    """The trainings of one structure.

    Attributes:
        size: How many.
        epochs: Of all of them.
        engine: How they would train.
        stack: Trainings at once; None where not measured.
        gain: Times faster than one after another; None where not measured.
        reason: Why so.
    """

    size: int
    epochs: int
    engine: Annotated[str, one_of("solo", "fused", "not measured")]
    stack: int | None
    gain: Real | None
    reason: str


class CVPlan(TypedDict):
    """What `dlexp cv --dry-run` knows.

    Attributes:
        kind: "cv".
        dry_run: True.
        form: One setting, several, or a search inside each fold.
        task: Of the data.
        device: That it would train on.
        data: Counts of the first fold.
        input_shape: Of one example.
        settings: How many; None of a search.
        seeds: How many.
        folds: How many, repeats included.
        num_params: Parameters of the model.
        trials: Trainings.
        steps: Updates.
        groups: By structure.
        memory: Bytes.
        seconds: Estimated, in one process.
    """

    kind: Annotated[str, one_of("cv")]
    dry_run: bool
    form: Annotated[str, one_of("plain", "settings", "nested")]
    task: Task
    device: str
    data: Parts
    input_shape: list[int]
    settings: int | None
    seeds: int
    folds: int
    num_params: int
    trials: int
    steps: int
    groups: list[CVGroup]
    memory: int
    seconds: float


class AuditedFold(TypedDict):
    """What the audit of one fold shows.

    Attributes:
        repeat: From 0.
        fold: From 0.
        inner: Number of the inner fold; None of an outer one.
        setting: That was trained.
        num_train: Examples.
        num_val: Examples.
        in_both: Examples of both parts.
        groups_in_both: Groups of both parts.
        duplicates: Held-out examples that the training part has byte for byte.
        changed: Fitted things that rows outside the training part changed.
    """

    repeat: int
    fold: int
    inner: int | None
    setting: dict[str, Any]
    num_train: int
    num_val: int
    in_both: int
    groups_in_both: int
    duplicates: int
    changed: list[str]


class Audit(TypedDict):
    """What `dlexp cv --audit` finds.

    Attributes:
        kind: "audit".
        clean: Whether nothing fitted depends on held-out rows.
        findings: Lines for the user.
        folds: By setting and fold.
    """

    kind: Annotated[str, one_of("audit")]
    clean: bool
    findings: list[str]
    folds: list[AuditedFold]
