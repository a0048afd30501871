"""Where a program's wall time goes: every moment is booked under one cause."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

REST = "everything else"


class Account:
    """Seconds by cause: each moment belongs to the innermost cause that it is spent in."""

    def __init__(self) -> None:
        self.restart()
        self._open = [REST]

    def restart(self) -> None:
        """Forget what was booked."""
        self.seconds: dict[str, float] = {}
        self._since = time.perf_counter()

    def spent(self) -> dict[str, float]:
        """Return seconds by cause until now."""
        self._book()
        return dict(self.seconds)

    def _book(self) -> None:
        now = time.perf_counter()
        self.seconds[self._open[-1]] = self.seconds.get(self._open[-1], 0.0) + now - self._since
        self._since = now

    @contextmanager
    def under(self, cause: str) -> Iterator[None]:
        """Spend a while under a cause."""
        self._book()
        self._open.append(cause)
        try:
            yield
        finally:
            self._book()
            self._open.pop()

    def charge(self, owner: Any, name: str, cause: str) -> None:
        """Put every call of a function under a cause."""
        function = getattr(owner, name)

        def charged(*arguments: Any, **keywords: Any) -> Any:
            with self.under(cause):
                return function(*arguments, **keywords)

        setattr(owner, name, charged)

    def charge_steps(self, owner: Any, name: str, cause: str) -> None:
        """Put what a generator does between its events under a cause."""
        function = getattr(owner, name)

        def charged(*arguments: Any) -> Iterator[Any]:
            events = function(*arguments)
            while True:
                with self.under(cause):
                    event = next(events, None)
                if event is None:
                    return
                yield event

        setattr(owner, name, charged)
