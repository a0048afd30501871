"""SIGINT and SIGTERM become a wish to stop at the next update; a second one stops at once."""

import signal
from types import FrameType, TracebackType


class Interrupt:
    """A context in which the two signals set `signum` instead of ending the process.

    Attributes:
        can_wait: False, while there is nothing to save yet, lets the first signal end the process too.
        signum: The signal that came; None before.
    """

    def __init__(self, *, can_wait: bool = True) -> None:
        """Hold no signal yet."""
        self.can_wait = can_wait
        self.signum: int | None = None
        self._before: dict[int, object] = {}

    def __enter__(self) -> "Interrupt":
        """Install the handlers."""
        for signum in (signal.SIGINT, signal.SIGTERM):
            self._before[signum] = signal.signal(signum, self._note)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Put the handlers back."""
        for signum, handler in self._before.items():
            signal.signal(signum, handler)  # type: ignore[arg-type]

    def __call__(self) -> bool:
        """Return whether to stop."""
        return self.signum is not None

    @property
    def exit_code(self) -> int:
        """128 plus the signal's number, as shells have it."""
        return 128 + (self.signum or 0)

    def _note(self, signum: int, frame: FrameType | None) -> None:
        if self.signum is not None or not self.can_wait:
            raise SystemExit(128 + signum)
        self.signum = signum
