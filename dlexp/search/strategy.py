"""What a strategy asks for and what it is told.

A strategy is written as a generator: it yields rounds and is sent the scores of each round's proposals, higher is
better, None for a trial that failed. Whoever trains for it holds a `Strategy`, which is asked and told. It draws from
(seed, number of the proposal) alone, so that the same scores lead to the same proposals, in whatever order and by
whatever process the trials were trained.
"""

import hashlib
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from dlexp.config.dimension import Dimension
from dlexp.config.wording import show
from dlexp.error import ConfigError
from dlexp.type import Count, NonNegativeInt, Positive

Settings = dict[str, Any]
MOST_OPENED = 40 * 256  # settings looked at before the first trial
ROUND = 256  # settings at most that a round asks for at once: the rest is drawn when these are done


@dataclass(frozen=True)
class Proposal:
    """One setting to be tried.

    Attributes:
        number: Names the setting within the search, from 0.
        settings: A value for each active dimension.
        epochs: Length of the training; None for the configuration's.
        until: Epoch at which the training pauses, to go on later under the same number; None trains to the end.
    """

    number: int
    settings: Settings
    epochs: int | None = None
    until: int | None = None


@dataclass(frozen=True)
class Round:
    """Proposals that may be trained in any order, at once.

    Attributes:
        number: From 1; a round of many settings comes in several of one number.
        proposals: What to train.
        notes: For the user: why the search goes where it goes.
    """

    number: int
    proposals: list[Proposal]
    notes: list[str] = field(default_factory=list)


Scores = Sequence[float | None]
Rounds = Generator[Round, Scores, None]


class Strategy:
    """A strategy at work: `ask` for a round, train it, `tell` its scores, until there is none.

    Args:
        rounds: From `Search.propose`.
    """

    def __init__(self, rounds: Rounds) -> None:
        self._rounds = rounds
        self._round = next(rounds, None)

    def ask(self) -> Round | None:
        """Return the round to be trained, the same until it is told; None when the search is over."""
        return self._round

    def tell(self, scores: Scores) -> None:
        """Tell the score of each proposal of the round, in its order: higher is better, None for a failure."""
        try:
            self._round = self._rounds.send(scores)
        except StopIteration:
            self._round = None


class Adviser(Protocol):
    """A strategy that is asked whenever a worker is free, and told whenever a training ended: there are no rounds.

    What it answers depends on the order in which it was asked and told, and on nothing else.
    """

    def ask(self) -> Round | None:
        """Return a round of one proposal; None when there is none until more is told, or none at all."""
        ...

    def tell(self, proposal: Proposal, score: float | None) -> None:
        """Tell the score of a proposal: higher is better, None for a failure."""
        ...


@dataclass(frozen=True)
class Problem:
    """What is searched.

    Attributes:
        dimensions: Those that choose options first.
        epochs: Epochs of a full training.
    """

    dimensions: list[Dimension]
    epochs: int

    def active(self, settings: Settings) -> list[Dimension]:
        """Return the dimensions that exist under the options chosen in a setting."""
        return [d for d in self.dimensions if d.exists(settings)]


@dataclass(frozen=True)
class Search:
    """What every strategy can be told.

    Args:
        space: More dimensions, by key: a sweep expression each; the command line wins.
        metric: What settings are compared by; auto takes the run's monitor.
        mode: Whether the largest or the smallest value of the metric is best; auto knows it from the metric.
        seed: Fixes the draws of the search, not those of the training.
        max_seconds: Time after which no trial is begun; null for no limit.
        stop_after_failures: Failed or diverged trials after which no trial is begun; null for no limit.
        retry_failed: Whether the same command and --resume train a trial again that failed in an earlier process.
        invalid: What becomes of settings that cannot be trained, as far as that is known before training.
    """

    space: dict[str, str] = field(default_factory=dict)
    metric: str = "auto"
    mode: Literal["auto", "max", "min"] = "auto"
    seed: NonNegativeInt = 0
    max_seconds: Positive | None = None
    stop_after_failures: Count | None = None
    retry_failed: bool = True
    invalid: Literal["refuse", "skip"] = "refuse"

    def total(self, _problem: Problem) -> int | None:
        """Return the settings that all rounds ask for; None where only the round in hand is known."""
        return None

    def adviser(self, _problem: Problem) -> Adviser | None:
        """Return what free workers ask at once; None where the search goes by rounds.

        Raises:
            ConfigError: The strategy cannot search this space.
        """
        return None

    def propose(self, problem: Problem) -> Rounds:
        """Yield rounds until the search is over.

        Args:
            problem: What is searched.

        Raises:
            ConfigError: The strategy cannot search this space.
        """
        raise NotImplementedError


def opening(search: Search, problem: Problem) -> Iterator[Proposal]:
    """Yield what a strategy asks for before it is told any score: its first round, whose batches depend on none.

    It ends after `MOST_OPENED` settings: a grid may have a billion, which are neither held nor looked at.

    Args:
        search: The strategy.
        problem: What is searched.

    Raises:
        ConfigError: The strategy cannot search this space.
    """
    strategy = Strategy(search.propose(problem))
    num_opened = 0
    while num_opened < MOST_OPENED and (round_ := strategy.ask()) is not None and round_.number == 1:
        yield from round_.proposals
        num_opened += len(round_.proposals)
        strategy.tell([None] * len(round_.proposals))


def refuse_epochs(problem: Problem, strategy: str) -> None:
    """Refuse epochs as a dimension of a strategy that decides itself how long each setting trains.

    Raises:
        ConfigError: They are searched.
    """
    for d in problem.dimensions:
        if d.key in ("trainer", "trainer.epochs"):
            raise ConfigError(
                f"{d.key}: got {show(d.text.partition('=')[2])}; search={strategy} decides how long each setting "
                "trains: give trainer.epochs one value, or choose search=grid, random or tpe"
            )


def uniform(seed: int, number: int, key: str) -> float:
    """Return a number in [0, 1) that is a pure function of its arguments."""
    digest = hashlib.sha256(f"{seed}:{number}:{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 * (1 - 2**-53)


def signature(settings: Settings) -> str:
    """Return a text that is equal for equal settings."""
    return repr(sorted(settings.items()))
