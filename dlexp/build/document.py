"""The document of `dlexp summary`."""

from typing import Annotated

from typing_extensions import TypedDict

from dlexp.type import one_of


class LayerRecord(TypedDict):
    """One call of one layer; see `dlexp.model.summary.Layer`."""

    name: str
    type: str
    output_shape: list[int]
    num_params: int
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
