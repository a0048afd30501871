"""A row of the catalogue: a promise, the fault that is made, and the check that the promise held."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


class NotPossible(Exception):
    """The machine cannot make this fault: a right or a tool is missing. Counts neither as passed nor as failed."""


class TooLate(Exception):
    """The command had ended before the fault could be made; the attempt is made again, with an earlier moment."""


@dataclass(frozen=True)
class Attempt:
    """One attempt at breaking a promise.

    Attributes:
        place: An empty folder, the working directory; gone afterwards.
        shared: A folder that attempts have in common, for undisturbed runs to compare with.
        chance: Draws, from seed, row and number of the attempt alone.
        case: Which case of a row's table it is.
        haste: The share of a moment that is drawn: 1, and half of it with each time that the attempt came too late.
    """

    place: Path
    shared: Path
    chance: random.Random
    case: int
    haste: float = 1.0


@dataclass(frozen=True)
class Row:
    """A promise and how it is attacked.

    Attributes:
        id: What the row is called on the command line.
        promise: What holds, in a user's words.
        fault: How the fault is made.
        check: Makes the fault and raises when the promise does not hold; returns how many cases the attempt held, None
            where that is `each`.
        fast: Attempts in the test suite; 0 where a full run alone makes them.
        full: Attempts in a full run; of a table, its number of cases.
        each: Cases that one attempt holds, as random overrides are tried by the hundred.
        limit: Seconds of computing and waiting after which an attempt counts as hung; see `tests.fault.clock`.
        has_workers: Whether it trains in worker processes, whose server is started once for all attempts.
    """

    id: str
    promise: str
    fault: str
    check: Callable[[Attempt], int | None]
    fast: int
    full: int
    each: int = 1
    limit: float = 120.0
    has_workers: bool = False


def chance_of(row: Row, seed: int, number: int) -> random.Random:
    """Return the draws of an attempt, the same when it is made again."""
    return random.Random(f"{seed}/{row.id}/{number}")


def case_of(row: Row, seed: int, number: int) -> int:
    """Return the case of an attempt: a full run meets each once, a shorter one some of them by the seed."""
    order = list(range(row.full))
    random.Random(f"{seed}/{row.id}").shuffle(order)
    return order[number % row.full]
