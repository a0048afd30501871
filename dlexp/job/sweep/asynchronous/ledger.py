"""The decisions of a search without rounds, in the order in which they were taken: `decisions.jsonl` of the sweep.

    ["begin", 3, 9]         setting 3 was given out, to be judged at epoch 9; null trains to the end
    ["end", 3, 9, 0.9125]   its score was told, higher is better; null for a failure

A strategy without rounds answers by the order in which it was called and told: these lines are all that it takes to
bring another to the same point.
"""

import json
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dlexp.disk.durable import disk_faults
from dlexp.disk.regular import read_bytes
from dlexp.error import RunError
from dlexp.search.strategy import Adviser, Proposal, Round


@dataclass(frozen=True)
class Ledger:
    """The record of a sweep's decisions, which is only ever added to.

    Attributes:
        path: The file.
    """

    path: Path

    def begin(self, proposal: Proposal) -> None:
        """Write down that a proposal is given out."""
        self._add(["begin", proposal.number, proposal.until])

    def end(self, proposal: Proposal, score: float | None) -> None:
        """Write down what the strategy is told of it."""
        self._add(["end", proposal.number, proposal.until, score])

    def replay(self, adviser: Adviser) -> tuple[list[Round], list[Round]]:
        """Bring a strategy to where the record ends; return what was begun and told, and begun alone, in order.

        Raises:
            RunError: The record is not of this strategy.
        """
        told: list[Round] = []
        in_hand: dict[tuple[int, int | None], Round] = {}
        for kind, number, until, *score in self._lines():
            key = number, until
            if kind == "begin":
                answer = adviser.ask()
                if answer is None or (answer.proposals[0].number, answer.proposals[0].until) != key:
                    raise self._fault(f"setting {number}")
                in_hand[key] = answer
            elif key in in_hand:
                round_ = in_hand.pop(key)
                adviser.tell(round_.proposals[0], score[0])
                told.append(round_)
            else:
                raise self._fault(f"the end of setting {number}")
        return told, list(in_hand.values())

    def _fault(self, what: str) -> RunError:
        cure = "begin anew with another tracking.experiment or runs_dir"
        return RunError(f"{self.path}: got {what}, which the search does not ask for now; {cure}")

    def _add(self, line: list[str | int | float | None]) -> None:
        """Add a line, which begins anew: an earlier writer may have been killed within its last."""
        text = f"\n{json.dumps(line)}\n".encode()
        with disk_faults(self.path, len(text)):
            descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o644)
            try:
                os.write(descriptor, text)
            finally:
                os.close(descriptor)

    def _lines(self) -> Iterator[list]:
        """Yield the lines that are whole: whoever came after one that was not decided without it."""
        try:
            texts = read_bytes(self.path).decode(errors="replace").split("\n")
        except FileNotFoundError:
            return
        yield from (line for text in texts if text and (line := _parsed(text)) is not None)


def _parsed(text: str) -> list | None:
    """Return a line; None where it is not whole."""
    try:
        line = json.loads(text)
        kind, number, until, *score = line
    except (ValueError, TypeError):
        return None
    is_placed = isinstance(number, int) and (until is None or isinstance(until, int))
    is_scored = len(score) == (kind == "end") and all(s is None or _is_finite(s) for s in score)
    return line if kind in ("begin", "end") and is_placed and is_scored else None


def _is_finite(score: object) -> bool:
    return isinstance(score, (int, float)) and math.isfinite(score)
