"""The documents of `dlexp summary` and `dlexp data`."""

from typing import Annotated, Any, NotRequired

from typing_extensions import TypedDict

from dlexp.run.document import Task
from dlexp.type import one_of


class LayerRecord(TypedDict):
    """One call of one layer; see `dlexp.model.summary.Layer`."""

    name: str
    type: str
    output_shape: list[int]
    num_params: int
    num_trainable: int
    flops: int
    receptive_field: int | None
    stride: int | None
    share: float
    flops_share: float
    is_auxiliary: bool


class AuxiliaryRecord(TypedDict):
    """Where a head that only training uses attaches; see `dlexp.model.summary.AuxiliaryHead`."""

    name: str
    behind: str
    weight: float


class SummaryDocument(TypedDict):
    """A model layer by layer; see `dlexp.model.summary.Summary`.

    Attributes:
        kind: "summary".
        model: Its class.
        data: Name of the data set.
        num_outputs: Of the last layer.
        input_shape: Of one example.
        num_params: All parameters.
        num_trainable: Those that training changes.
        flops: Of one example, a multiply-add as two.
        layers: In order of call.
        auxiliary: Heads that only training uses.
        warnings: Sentences for the user.
    """

    kind: Annotated[str, one_of("summary")]
    model: str
    data: str
    num_outputs: int
    input_shape: list[int]
    num_params: int
    num_trainable: int
    flops: int
    layers: list[LayerRecord]
    auxiliary: list[AuxiliaryRecord]
    warnings: list[str]


class PartRecord(TypedDict):
    """The examples of one part.

    Attributes:
        num: How many.
        counts: By class.
        min: Least value.
        mean: Of the values.
        max: Largest value.
        targets: Of several targets these of each, by its name, over the examples that have it.
    """

    num: int
    targets: NotRequired[dict[str, dict[str, Any]]]
    counts: NotRequired[dict[str, int]]
    min: NotRequired[float]
    mean: NotRequired[float]
    max: NotRequired[float]


class ColumnRecord(TypedDict):
    """A column of a table, over the training part.

    Attributes:
        name: Of the column.
        type: Whether it is taken as numbers or as categories.
        gaps: Missing entries.
        min: Least number.
        mean: Of the numbers.
        max: Largest number.
        counts: By category.
    """

    name: str
    type: Annotated[str, one_of("number", "category")]
    gaps: int
    min: NotRequired[float]
    mean: NotRequired[float]
    max: NotRequired[float]
    counts: NotRequired[dict[str, int]]


class ChannelRecord(TypedDict):
    """A channel of pictures, in [0, 1], over the training part."""

    mean: float
    std: float


class ExampleRecord(TypedDict):
    """One example.

    Attributes:
        id: Names it.
        target: Its class, or value; of several targets those of each by name, None in a gap.
        inputs: By name of the input; pictures have none.
    """

    id: str
    target: str | float | dict[str, Any]
    inputs: NotRequired[dict[str, Any]]


class DataDocument(TypedDict):
    """What was read, without training.

    Attributes:
        kind: "data".
        name: Of the data set.
        task: Of the targets.
        fingerprint: Equal for equal data with equal parts.
        num_examples: In all parts.
        in_shape: Of one example.
        type: Of the numbers in memory.
        bytes: In memory, or mapped.
        class_names: In the order of their numbers.
        parts: By name.
        columns: Of a table.
        channels: Of pictures.
        examples: The first of training.
        duplicates: Examples of a part that stand in an earlier part too, by part.
        warnings: Sentences for the user.
        figure: The file drawn.
    """

    kind: Annotated[str, one_of("data")]
    name: str
    task: Task
    fingerprint: str
    num_examples: int
    in_shape: list[int]
    type: str
    bytes: int
    class_names: list[str]
    parts: dict[str, PartRecord]
    columns: list[ColumnRecord]
    channels: list[ChannelRecord]
    examples: list[ExampleRecord]
    duplicates: dict[str, int]
    warnings: list[str]
    figure: str | None
