"""The document of `dlexp export`."""

from typing import Annotated

from typing_extensions import TypedDict

from dlexp.type import one_of


class Export(TypedDict):
    """A model that was exported.

    Attributes:
        kind: "export".
        run_id: Names the run; of a sweep its trial.
        run_dir: The run's folder.
        format: Of the file.
        path: Of the file.
        card: Path of the card beside it.
        facts: Path of the JSON beside it: how raw examples become inputs, and outputs answers.
        bytes: Of the file.
        sha256: Of the file.
        inputs: What its input is called.
        outputs: What its outputs are called, in order.
        examples: The examples that it was checked on are of this part.
        batches: Examples at once, each size checked.
        difference: The largest from the run's own outputs, absolute up to 1, relative beyond; of values in standard
            deviations of the training targets.
        allowed: The largest difference that is let through.
        seconds: That writing and checking took.
    """

    kind: Annotated[str, one_of("export")]
    run_id: str
    run_dir: str
    format: Annotated[str, one_of("pt2", "onnx", "safetensors")]
    path: str
    card: str
    facts: str
    bytes: int
    sha256: str
    inputs: str
    outputs: list[str]
    examples: Annotated[str, one_of("val", "train")]
    batches: list[int]
    difference: float
    allowed: float
    seconds: float
