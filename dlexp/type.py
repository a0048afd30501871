"""The annotations that turn a constructor's signature into a schema.

A component states what a user may set as positional-or-keyword parameters with these types; `dlexp.config.check`
enforces them. Nothing here imports torch.
"""

from typing import Annotated, TypeVar

from annotated_types import Ge, Interval, MinLen

T = TypeVar("T")


class PerTrialMarker:
    """Marks a parameter that may differ between trials of one program.

    The engine passes such a parameter as a tensor (T, 1) instead of a number.
    """

    def __repr__(self) -> str:
        return "PerTrial"


PerTrial = Annotated[T, PerTrialMarker()]

Name = str  # of a column: a number on the command line is taken as its text
Count = Annotated[int, Ge(1)]
NonNegativeInt = Annotated[int, Ge(0)]
Finite = Annotated[float, Interval(gt=float("-inf"), lt=float("inf"))]
Positive = Annotated[float, Interval(gt=0, lt=float("inf"))]
NonNegative = Annotated[float, Interval(ge=0, lt=float("inf"))]
Probability = Annotated[float, Interval(ge=0, lt=1)]
Fraction = Annotated[float, Interval(gt=0, lt=1)]
UnitInterval = Annotated[float, Interval(ge=0, le=1)]
Widths = Annotated[list[Count], MinLen(1)]
