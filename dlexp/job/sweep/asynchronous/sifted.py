"""A strategy without rounds whose settings can all be trained: the others are told to it as failed, and left out."""

from collections.abc import Callable
from dataclasses import dataclass

from dlexp.job.sweep.validity import InvalidSetting
from dlexp.search.strategy import Adviser, Proposal, Round


@dataclass(frozen=True)
class Sifted:
    """What is left of a strategy's proposals.

    Attributes:
        adviser: The strategy.
        look: Divides a round's proposals into those that can be trained and the others.
        invalid: The others are added to these.
    """

    adviser: Adviser
    look: Callable[[list[Proposal], int], tuple[list[Proposal], list[InvalidSetting]]]
    invalid: list[InvalidSetting]

    def ask(self) -> Round | None:
        """Return the next round of one proposal that can be trained."""
        while (round_ := self.adviser.ask()) is not None:
            valid, invalid = self.look(round_.proposals, round_.number)
            if valid:
                return round_
            self.invalid.extend(invalid)
            self.adviser.tell(round_.proposals[0], None)
        return None

    def tell(self, proposal: Proposal, score: float | None) -> None:
        """Tell the score of a proposal."""
        self.adviser.tell(proposal, score)
