"""When a fault is made: the command is stopped meanwhile, so that what is asked of it then still holds."""

import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from tests.fault.process import Command
from tests.fault.promise import Attempt, TooLate


def epochs() -> int:
    """Return how many epochs have been recorded."""
    return sum(path.read_bytes().count(b"\n") for path in Path("runs").glob("*/*/metrics.jsonl"))


def parts() -> int:
    """Return how many trials or folds have a result."""
    return len(list(Path("runs").glob("*/*/*/*/result.json")))


def draw(attempt: Attempt, most: int, fewest: int = 0) -> int:
    """Return a random number of epochs, trials or folds; fewer in an attempt that is made again."""
    return fewest + int(attempt.haste * attempt.chance.randint(0, most - fewest))


def moment(attempt: Attempt, most: int, fewest: int = 0) -> float:
    """Return a random instant: a number of epochs, trials or folds, and milliseconds after it."""
    after = attempt.chance.choice([0.02, 0.05, 0.2]) * attempt.chance.random() * attempt.haste
    return draw(attempt, most, fewest) + after


def halt(command: Command, when: Callable[[], object], after: float = 0.0) -> None:
    """Stop a command some time after a moment has come; `SIGCONT` has it go on.

    Args:
        command: To be stopped.
        when: Says whether the moment has come.
        after: Seconds that it runs on.

    Raises:
        TooLate: It ended by itself before.
    """
    has_come = command.wait_for(when)
    time.sleep(after)
    command.signal(signal.SIGSTOP)
    while not command.is_over() and psutil.Process(command.pid).status() != psutil.STATUS_STOPPED:
        time.sleep(0.001)
    if command.is_over():
        raise TooLate(f"the command had ended: {command.done().err[-200:]}")
    assert has_come, "the moment never came"


def halt_training(command: Command, after: float, most: int) -> None:
    """Stop a training at an instant; see `moment`.

    Args:
        command: To be stopped.
        after: Epochs, and of the next one the share in a second.
        most: Epochs that it may have made.

    Raises:
        TooLate: It has made more.
    """
    halt(command, lambda: epochs() >= int(after), after % 1)
    if epochs() > most:
        command.signal(signal.SIGKILL)
        command.done()
        raise TooLate(f"the training had {epochs()} epochs")


def kill_in(
    command: Command,
    after: float,
    signum: int = signal.SIGKILL,
    made: Callable[[], int] = lambda: 0,
    most: int = 0,
) -> bool:
    """Send a signal at an instant, and say whether it ended the command, which may have ended by itself before.

    Args:
        command: To be killed.
        after: How many epochs, trials or folds it shall have made before, and of the next one the share in a second.
        signum: The signal.
        made: Counts epochs, trials or folds.
        most: How many it makes; a signal that can be heeded must end it in the first half of them.
    """
    try:
        halt(command, lambda: made() >= int(after), after % 1)
    except TooLate:
        assert command.done().code == 0, command.done().err[-400:]
        return False
    may_end = signum != signal.SIGKILL and made() >= most / 2
    command.signal(signum)
    command.signal(signal.SIGCONT)
    code = command.done().code
    assert code in (-signum, 128 + signum) or (may_end and code == 0), code
    return code != 0
