"""The documents of `dlexp reproduce`."""

from typing import Annotated, NotRequired

from typing_extensions import TypedDict

from dlexp.type import Real, Span, one_of


class ClaimRecord(TypedDict):
    """A claim of the literature.

    Attributes:
        name: Of the claim.
        source: Paper and figure, table or equation.
        claim: A sentence.
        statistic: What is measured.
        expected: From, to: where the claim holds.
        seeds: Repetitions.
        naive: How the claim is often told, and why it fails in that form.
        commands: That train the same networks; none where nothing is trained.
    """

    name: str
    source: str
    claim: str
    statistic: str
    expected: Span
    seeds: int
    naive: NotRequired[str]
    commands: list[str]


class JudgedClaim(ClaimRecord):
    """A claim that was re-run.

    Attributes:
        control: What was swapped; absent where nothing was.
        values: The statistic, by seed.
        mean: Of the values.
        interval: 95 % interval of the mean.
        verdict: Whether the interval lies inside the expected range, outside, or neither.
        seconds: It took.
        figure: Where its training curves were drawn; absent where none were.
    """

    control: NotRequired[str]
    values: list[Real]
    mean: Real
    interval: Span
    verdict: Annotated[str, one_of("holds", "does not hold", "cannot tell")]
    seconds: float
    figure: NotRequired[str]


class Reproduction(TypedDict):
    """What `dlexp reproduce` prints.

    Attributes:
        kind: "reproduction".
        claims: Re-run, or all that there are.
    """

    kind: Annotated[str, one_of("reproduction")]
    claims: list[JudgedClaim] | list[ClaimRecord]
