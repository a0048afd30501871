"""What a person sees while `--dry-run` measures: a live line on a terminal, one line elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

from dlexp.number import noun

BUDGET = "a minute at most"


@contextmanager
def measuring(console: Console) -> Iterator[Callable[[int, int], None]]:
    """Show that a command prepares, then how far it has measured; yield what takes that.

    The yielded function is given the structures that are measured already, and all.
    """
    status = console.status("preparing") if console.is_terminal else None

    def tell(done: int, total: int) -> None:
        if status is not None:
            status.update(f"measuring structure {done + 1} of {total}, {BUDGET}")
        elif done == 0:
            console.print(f"measuring {noun(total, 'structure')}, {BUDGET}")

    if status is not None:
        status.start()
    try:
        yield tell
    finally:
        if status is not None:
            status.stop()
