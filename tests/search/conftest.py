"""Drives a strategy as the sweep job does."""

import pytest

from dlexp.search.strategy import Problem, Proposal, Round, Search, Strategy


class Driven:
    """What a strategy asked for, round by round, and the scores it was told."""

    def __init__(self, search: Search, problem: Problem, objective) -> None:
        self.rounds: list[Round] = []
        self.scores: list[list[float | None]] = []
        strategy = Strategy(search.propose(problem))
        while (round_ := strategy.ask()) is not None:
            self.rounds.append(round_)
            self.scores.append([objective(proposal) for proposal in round_.proposals])
            strategy.tell(self.scores[-1])

    @property
    def stages(self) -> list[Round]:
        """The rounds, batches of one number together."""
        numbers = dict.fromkeys(round_.number for round_ in self.rounds)
        return [Round(n, [p for r in self.rounds if r.number == n for p in r.proposals]) for n in numbers]

    @property
    def proposals(self) -> list[Proposal]:
        return [proposal for round_ in self.rounds for proposal in round_.proposals]

    @property
    def best(self) -> Proposal:
        flat = [score for scores in self.scores for score in scores]
        return max(zip(self.proposals, flat, strict=True), key=lambda pair: -1e300 if pair[1] is None else pair[1])[0]


@pytest.fixture
def drive():
    return Driven
