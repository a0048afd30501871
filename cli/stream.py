"""Standard streams that may be closed, full or left by their reader: told in one line at most, never a traceback."""

import errno
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from .text import printable


class OutputLost(Exception):
    """A standard stream takes no more.

    Attributes:
        exit_code: 141 when its reader left, 129 when its terminal closed, as shells have it, else 1.
    """

    def __init__(self, exit_code: int) -> None:
        super().__init__("output lost")
        self.exit_code = exit_code


class GuardedStream:
    """A text stream whose failure ends the process quietly, or a training at its next checkpoint.

    What cannot be encoded is written as an escape.

    Args:
        stream: That is written to.
        name: For the message.
        descriptor: Of the stream; None where it has no file of its own.

    Attributes:
        is_used: Whether anything was written.
    """

    def __init__(self, stream: Any, name: str, descriptor: int | None) -> None:
        self._stream, self._name, self._descriptor = stream, name, descriptor
        self._is_terminal = stream.isatty()  # asked now: a terminal that closed says no
        self._exit_code: int | None = None
        self._signum = signal.SIGPIPE
        self.is_used = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write text; what comes after a failure is dropped."""
        self.is_used = self.is_used or bool(text)
        encoding = self._stream.encoding or "utf-8"
        self._attempt(lambda: self._stream.write(text.encode(encoding, "backslashreplace").decode(encoding)))
        return len(text)

    def flush(self) -> None:
        """Write what is still in the buffer."""
        self._attempt(self._stream.flush)

    def _attempt(self, act: Any) -> None:
        if self._exit_code is None:
            try:
                act()
                return
            except OSError as error:
                self._lose(error)
        self._stop()

    def _lose(self, error: OSError) -> None:
        """Drop what is left, and say so unless nobody listens any more."""
        is_closed = self._is_terminal and error.errno == errno.EIO
        is_left = is_closed or error.errno == errno.EPIPE  # nobody to tell
        self._signum = signal.SIGHUP if is_closed else signal.SIGPIPE
        self._exit_code = 128 + self._signum if is_left else 1
        if self._descriptor is not None:
            void = os.open(os.devnull, os.O_WRONLY)
            os.dup2(void, self._descriptor)
            os.close(void)
        if not is_left and self._name != "stderr":
            print(f"output error: {self._name}: {error.strerror or error}; send it elsewhere", file=sys.stderr)

    def _stop(self) -> None:
        """End a training at its next checkpoint; anything else, and the thread that can, at once."""
        from dlexp.job.interrupt import wish_to_stop

        is_main = threading.current_thread() is threading.main_thread()
        if not wish_to_stop(self._signum) and is_main and self._exit_code is not None:
            raise OutputLost(self._exit_code)


@contextmanager
def guarded() -> Iterator[None]:
    """Guard stdout and stderr for the time of the context, and write at its end what is still in their buffers.

    Raises:
        OutputLost: Standard output took no more, or was closed before it was written to.
    """
    for descriptor in (0, 1, 2):
        _open_if_closed(descriptor)
    before = sys.stdout, sys.stderr
    guarded_stdout = _guard(before[0], "stdout", 1)
    sys.stdout, sys.stderr = guarded_stdout, _guard(before[1], "stderr", 2)
    try:
        yield
        guarded_stdout.flush()
        with suppress(OutputLost):
            sys.stderr.flush()
        if before[0] is None and guarded_stdout.is_used:
            raise OutputLost(1)
    finally:
        sys.stdout, sys.stderr = before


def _guard(stream: Any, name: str, descriptor: int) -> Any:
    if stream is None:  # closed when Python began
        stream = os.fdopen(descriptor, "w", encoding="utf-8", closefd=False)
    try:
        is_standard = stream.fileno() == descriptor
    except (OSError, AttributeError, ValueError):
        is_standard = False
    return GuardedStream(stream, name, descriptor if is_standard else None)


def _open_if_closed(descriptor: int) -> None:
    """Give a closed standard stream a place to go: else the next file that is opened would be taken for it."""
    try:
        os.fstat(descriptor)
    except OSError:
        void = os.open(os.devnull, os.O_RDWR)
        if void != descriptor:
            os.dup2(void, descriptor)
            os.close(void)


def tell(line: str) -> None:
    """Print a line on stderr, with what a terminal would obey escaped; a stderr that takes nothing changes nothing."""
    try:
        print(printable(line), file=sys.stderr)
    except OutputLost:
        return
