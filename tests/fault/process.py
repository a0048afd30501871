"""Commands in forked children of a process that has imported everything: a fork costs milliseconds, a start seconds.

A child has the streams, the environment, the limits and the signals that a process of its own would have.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fault.clock import Clock

_LONGEST = 90.0  # seconds that a command may take, without those in the queue for a CPU


@dataclass(frozen=True)
class Done:
    """How a command ended.

    Attributes:
        code: Exit code, or minus the signal's number.
        out: Standard output.
        err: Standard error.
        seconds: From fork to end, without those in the queue for a CPU; 0 where nobody looked.
    """

    code: int
    out: str
    err: str
    seconds: float = 0.0


class Command:
    """A dlexp command that runs in a child.

    Args:
        words: Its arguments.
        streams: Paths or descriptors for the standard streams by number; a file each by default, None closes one.
        prepare: Called in the child before the command.
        act: Is run in the child instead of the command line; returns the exit code.
    """

    def __init__(
        self,
        *words: str,
        streams: dict[int, str | int | None] | None = None,
        prepare: Callable[[], object] | None = None,
        act: Callable[[], int] | None = None,
    ) -> None:
        self.words, self._prepare, self._act = [str(word) for word in words], prepare, act
        self._places = {number: Path(f".stream{number}-{time.monotonic_ns()}") for number in (1, 2)}
        self._streams: dict[int, str | int | None] = {0: os.devnull, **{n: str(p) for n, p in self._places.items()}}
        self._streams |= streams or {}
        self._done: Done | None = None
        self.pid = os.fork()
        if self.pid == 0:
            self._live()
        self._clock = Clock(self.pid)

    def _live(self) -> None:
        code = 99
        try:
            os.setpgid(0, 0)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
                signal.signal(number, signal.SIG_IGN if number == signal.SIGPIPE else signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            _connect(self._streams)
            if self._prepare is not None:
                self._prepare()
            code = self._act() if self._act is not None else _command_line(self.words)
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 1
        except KeyboardInterrupt:
            code = 130
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            for stream in (sys.stdout, sys.stderr):
                with suppress(Exception):
                    stream.flush()
            os._exit(code & 255)

    def signal(self, number: int) -> None:
        """Send the child a signal."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def wait_for(self, holds: Callable[[], Any], seconds: float = _LONGEST) -> bool:
        """Wait until something holds or the child ends; say whether it held."""
        latest = self._clock.seconds() + seconds
        while not holds():
            if self.is_over() or self._clock.is_past(latest):
                return bool(holds())
            time.sleep(0.005)
        return True

    def is_over(self) -> bool:
        """Say whether the child has ended."""
        if self._done is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._end(os.waitstatus_to_exitcode(status))
        return self._done is not None

    def done(self, seconds: float = _LONGEST) -> Done:
        """Wait for the end; a child that takes longer is killed and is a fault."""
        latest = self._clock.seconds() + seconds
        while not self.is_over():
            if self._clock.is_past(latest):
                os.killpg(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                raise AssertionError(f"dlexp {' '.join(self.words)}: still runs after {seconds:.0f} s")
            time.sleep(0.003)
        assert self._done is not None
        return self._done

    def _end(self, code: int) -> None:
        out, err = (path.read_text(errors="replace") if path.exists() else "" for path in self._places.values())
        self._done = Done(code, out, err, self._clock.seconds())
        for path in self._places.values():
            path.unlink(missing_ok=True)


def dlexp(*words: str, seconds: float = _LONGEST, **how: Any) -> Done:
    """Run a command to its end; see `Command`."""
    return Command(*words, **how).done(seconds)


def _connect(streams: dict[int, str | int | None]) -> None:
    for number, target in streams.items():
        if target is None:
            os.close(number)
        elif isinstance(target, int):
            os.dup2(target, number)
        else:
            flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT
            descriptor = os.open(target, flags, 0o644)
            os.dup2(descriptor, number)
            os.close(descriptor)
    sys.stdin = None if streams[0] is None else os.fdopen(0, closefd=False)
    for name, number in (("stdout", 1), ("stderr", 2)):
        stream = None if streams[number] is None else os.fdopen(number, "w", encoding="utf-8", closefd=False)
        setattr(sys, name, stream)


def _command_line(words: Sequence[str]) -> int:
    from importlib import import_module

    sys.argv = ["dlexp", *words]
    import_module("dlexp.cli").main()
    return 0


def one_line(done: Done, *codes: int) -> str:
    """Return the line that a command ended with.

    Raises:
        AssertionError: It is no line, more than a line, a traceback, or our own fault; or the exit code is another.
    """
    lines = [line for line in done.err.splitlines() if line.strip()]
    assert done.code in codes, f"exit {done.code}, not {codes}: {done.err[-400:]!r}"
    assert "Traceback" not in done.err + done.out, done.err[-800:]
    assert "internal error" not in done.err, done.err
    assert lines, f"exit {done.code} without a word"
    assert " error: " in lines[-1], done.err
    return lines[-1]
