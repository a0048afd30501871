"""The document of `dlexp surface`."""

from typing import Annotated

from typing_extensions import TypedDict

from dlexp.type import Real, one_of


class PathRecord(TypedDict):
    """Where an update rule went.

    Attributes:
        rule: Option of `optimizer`.
        lr: Its step size.
        steps: Updates after which the function stays at the level or below; None where it does not.
        end: The point of arrival, or the last.
        value: The function there.
    """

    rule: str
    lr: float
    steps: int | None
    end: list[Real]
    value: Real


class SurfaceDocument(TypedDict):
    """Update rules on a function of two variables.

    Attributes:
        kind: "surface".
        name: Of the surface.
        formula: Of the function.
        source: Where it comes from.
        start: Where every path begins.
        level: A path has arrived where the function stays at this or below.
        most_steps: After which a path is given up.
        paths: Of each rule, the soonest first.
        figure: The file of the figure; None where none was asked for.
        film: The file of the animation; None where none was asked for.
    """

    kind: Annotated[str, one_of("surface")]
    name: str
    formula: str
    source: str
    start: list[float]
    level: float
    most_steps: int
    paths: list[PathRecord]
    figure: str | None
    film: str | None
