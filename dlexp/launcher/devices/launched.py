"""What torchrun says by the environment of the processes that it starts, read without torch."""

import os
import time
from typing import NoReturn

from dlexp.error import ConfigError
from dlexp.number import noun

PATIENCE = 3.0  # seconds that the first process has to say why all end


def is_launched() -> bool:
    """Say whether torchrun started this process as one of many."""
    return number("WORLD_SIZE", 1) > 1 and "RANK" in os.environ


def rank() -> int:
    """Return the number of this process among those that torchrun started; 0 for one by itself."""
    return number("RANK", 0) if is_launched() else 0


def number(name: str, default: int) -> int:
    """Return what a variable of the environment says; the default where it is no number."""
    text = os.environ.get(name, "")
    return int(text) if text.isdigit() else default


def require_single(command: str) -> None:
    """Refuse a command that does not train one model, in processes that torchrun started.

    Raises:
        ConfigError: There are many, and this is the first.
        SystemExit: It is another.
    """
    if is_launched() and command != "train":
        if rank():
            leave(ConfigError.exit_code)
        size = noun(number("WORLD_SIZE", 1), "process")
        raise ConfigError(f"torchrun: got {size} for `dlexp {command}`; over many devices goes `dlexp train` alone")


def leave(code: int) -> NoReturn:
    """End a process that is not the first, which says why: torchrun ends all others as soon as one has ended.

    Args:
        code: Of the process's end.
    """
    if "TORCHELASTIC_RUN_ID" in os.environ:
        time.sleep(PATIENCE)
    raise SystemExit(code)
