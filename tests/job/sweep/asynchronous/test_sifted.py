"""Settings that cannot be trained are left out of a search without rounds, and told to it as failed."""

from typing import Any

from dlexp.job.sweep.asynchronous.sifted import Sifted
from dlexp.job.sweep.validity import InvalidSetting
from dlexp.search.strategy import Proposal, Round


class Counting:
    """Asks for settings 0 to 4."""

    def __init__(self):
        self.left, self.told = list(range(5)), []

    def ask(self) -> Round | None:
        return Round(1, [Proposal(self.left.pop(0), {})]) if self.left else None

    def tell(self, proposal: Proposal, score: float | None) -> None:
        self.told.append((proposal.number, score))


def odd_only(proposals: list[Proposal], number: int) -> Any:
    refused = [InvalidSetting(p, number, "even") for p in proposals if p.number % 2 == 0]
    return [p for p in proposals if p.number % 2], refused


def test_what_cannot_be_trained_is_passed_over():
    adviser, invalid = Counting(), []
    sifted = Sifted(adviser, odd_only, invalid)
    given = []
    while (round_ := sifted.ask()) is not None:
        given.append(round_.proposals[0])
        sifted.tell(given[-1], 0.5)
    assert [p.number for p in given] == [1, 3]
    assert adviser.told == [(0, None), (1, 0.5), (2, None), (3, 0.5), (4, None)]
    assert [setting.proposal.number for setting in invalid] == [0, 2, 4]
