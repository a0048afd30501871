"""SIGINT, SIGTERM and SIGHUP become a wish to stop at the next update; a second one stops at once."""

import signal
from types import FrameType, TracebackType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_active: "list[Interrupt]" = []


class Interrupt:
    """A context in which the signals set `signum` instead of ending the process.

    A signal that the caller has the process ignore, as nohup does with SIGHUP, stays ignored. A terminal that closes
    may send SIGHUP twice, from its shell and from the kernel, and ends what reads this process's output: a SIGHUP after
    another or after SIGPIPE is not taken for impatience.

    Attributes:
        can_wait: False, while there is nothing to save yet, lets the first signal end the process too.
        signum: The signal that came; None before.
    """

    def __init__(self, *, can_wait: bool = True) -> None:
        """Hold no signal yet."""
        self.can_wait = can_wait
        self.signum: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Interrupt":
        """Install the handlers."""
        for signum in SIGNALS:
            if signal.getsignal(signum) is not signal.SIG_IGN:
                self._before[signum] = signal.signal(signum, self._note)
        _active.append(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Put the handlers back."""
        _active.remove(self)
        for signum, handler in self._before.items():
            signal.signal(signum, handler)

    def __call__(self) -> bool:
        """Return whether to stop."""
        return self.signum is not None

    @property
    def exit_code(self) -> int:
        """128 plus the signal's number, as shells have it."""
        return 128 + (self.signum or 0)

    def _note(self, signum: int, frame: FrameType | None) -> None:
        if signum == signal.SIGHUP and self.signum in (signal.SIGHUP, signal.SIGPIPE):
            self.signum = signum
            return
        if self.signum is not None or not self.can_wait:
            raise SystemExit(128 + signum)
        self.signum = signum


def wish_to_stop(signum: int) -> bool:
    """Have whatever trains in this process stop as if a signal had come; return whether anything can.

    Python must not install a handler for SIGPIPE, which would answer for every socket too: who cannot write any more
    calls this instead.
    """
    able = [interrupt for interrupt in _active if interrupt.can_wait]
    for interrupt in able:
        interrupt.signum = interrupt.signum or signum
    return bool(able)
