"""The annotations that turn a constructor's signature into a schema.

A component states what a user may set as positional-or-keyword parameters with these types; `dlexp.config.check`
enforces them. Below them stand the types that the documents of ``--json`` share. Nothing here imports torch.
"""

from typing import Annotated, Any, TypeVar

from annotated_types import Ge, Interval, MinLen
from typing_extensions import TypedDict

T = TypeVar("T")
Config = dict[str, Any]  # resolved settings, by group


class PerTrialMarker:
    """Marks a parameter that may differ between trials of one program.

    The engine passes such a parameter as a tensor (T, 1) instead of a number.
    """

    def __repr__(self) -> str:
        return "PerTrial"


class ComponentMarker:
    """Marks a parameter that takes a component of the user's: the dotted path of a class, or a node with `_target_`."""

    def __repr__(self) -> str:
        return "Component"


PerTrial = Annotated[T, PerTrialMarker()]

Name = str  # of a column: a number on the command line is taken as its text
Place = str  # of a file or folder: a leading ~ is the home folder, as for shells
Component = Annotated[Any, ComponentMarker()]
RECONSTRUCT = "reconstruct"  # the task whose targets are the inputs
BETWEEN = " | "  # the names of the two inputs of a pair, in the name of the pair
SEVERAL = "several"  # that of several targets
MOST = 1_000_000_000  # of anything that is counted: more can neither be stored nor waited for
Count = Annotated[int, Interval(ge=1, le=MOST)]
Threads = Annotated[int, Interval(ge=1, le=1024)]  # of a CPU; systems end processes that begin many more
NonNegativeInt = Annotated[int, Ge(0)]
Finite = Annotated[float, Interval(gt=float("-inf"), lt=float("inf"))]
Positive = Annotated[float, Interval(gt=0, lt=float("inf"))]
NonNegative = Annotated[float, Interval(ge=0, lt=float("inf"))]
Timeout = Annotated[float, Interval(gt=0, le=86400)]  # seconds; a clock of the system takes no more than years
Probability = Annotated[float, Interval(ge=0, lt=1)]
Fraction = Annotated[float, Interval(gt=0, lt=1)]
UnitInterval = Annotated[float, Interval(ge=0, le=1)]
Widths = Annotated[list[Count], MinLen(1)]


class InDocument:
    """What a value is in a document of ``--json``, where JSON says more, or less, than its Python type.

    Args:
        schema: The JSON Schema of the value.
    """

    def __init__(self, **schema: Any) -> None:
        self.schema = schema

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Any) -> dict[str, Any]:
        return self.schema


def one_of(*texts: str) -> InDocument:
    """Return the annotation of a text that is one of a few."""
    return InDocument(type="string", enum=list(texts))


Real = Annotated[float, InDocument(type=["number", "null"])]  # NaN and infinity are null in JSON
Span = Annotated[list[Real], InDocument(type="array", items={"type": ["number", "null"]}, minItems=2, maxItems=2)]
Metrics = dict[str, Real]


class PositiveFact(TypedDict, total=False):
    """What a document says of two classes.

    Attributes:
        positive: The name of the positive one; absent unless there are two.
    """

    positive: str
