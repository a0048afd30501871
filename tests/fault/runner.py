"""Runs a row's attempts, for pytest and for the command: each in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fault.promise import Row

ROOT = Path(__file__).parents[2]
_SHOWN = 20  # faults of a row that are recorded


@dataclass
class Tally:
    """What came of a row's attempts.

    Attributes:
        seed: All draws follow from it.
        attempts: Made so far.
        passed: Of them, held the promise.
        made: Cases that they tried; an attempt may hold many.
        held: Of the cases, those whose promise held.
        impossible: Of them, could not be made on this machine.
        faults: One line each: the attempt's number and what did not hold.
        seconds: Their sum.
        why: Why attempts could not be made; "" when all could.
    """

    seed: int
    attempts: int = 0
    passed: int = 0
    made: int = 0
    held: int = 0
    impossible: int = 0
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0
    why: str = ""

    def add(self, answer: dict[str, Any], each: int) -> None:
        """Count an attempt of that many cases, unless it says otherwise."""
        number, cases = self.attempts, answer.get("cases", each)
        self.attempts += 1
        self.seconds = round(self.seconds + answer["seconds"], 3)
        if "impossible" in answer:
            self.impossible += 1
            self.why = answer["impossible"]
            return
        self.made += cases
        if "fault" in answer:
            self.faults = [*self.faults, f"attempt {number}: {answer['fault']}"][:_SHOWN]
        else:
            self.passed += 1
            self.held += cases

    @property
    def num_failed(self) -> int:
        """Attempts after which the promise did not hold."""
        return self.attempts - self.passed - self.impossible


class Server:
    """The process that makes attempts, started when there is one to make; see `tests.fault.server`.

    Args:
        folder: For what attempts have in common, and their places.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen | None = None

    def attempt(self, row: Row, seed: int, number: int) -> dict[str, Any]:
        """Return what came of an attempt; see `tests.fault.server.attempt`."""
        if self._process is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            command = [sys.executable, "-m", "tests.fault.server", str(self._folder / "shared")]
            around = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
            around |= {"MPLCONFIGDIR": os.environ.get("MPLCONFIGDIR", str(self._folder / "matplotlib"))}
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=around
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"row": row.id, "seed": seed, "number": number}) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, f"the server of attempts died over {row.id}, attempt {number}"
        return json.loads(answer)

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            for pipe in (self._process.stdin, self._process.stdout):
                assert pipe is not None
                pipe.close()
            self._process.wait(timeout=60)
            self._process = None


def attempts(row: Row, tally: Tally, num: int, server: Server) -> Iterator[dict[str, Any]]:
    """Make a row's attempts up to a number, from where the tally is, counting and yielding what came of each."""
    while tally.attempts < num:
        answer = server.attempt(row, tally.seed, tally.attempts)
        tally.add(answer, row.each)
        yield answer
