"""The fault hook: counts what a process does to the files below a folder, and acts at one of these operations.

It stands on Python's audit events and on patched functions of the process that installs it, a forked child of a test:
the program itself has no hook, so nothing has to be inert, costs time or could be reached by a configuration.
"""

import builtins
import errno
import io
import mmap
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_EVENTS = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.truncate")


class Hook:
    """Acts at the `at`-th operation on files below a folder: opening to write, half a write, fsync, rename, removal.

    Args:
        below: The folder.
        at: Which operation, from 1.
        act: What happens there, such as `kill`.
        lasts: Whether it happens at every later operation too, as on a disk that stays full.
        is_growth: Whether only operations count that need space: a full disk lets files be renamed and removed.
    """

    def __init__(
        self, below: Path, at: int, act: Callable[[], None], *, lasts: bool = False, is_growth: bool = False
    ) -> None:
        self._below, self._at, self._act, self._count = os.path.abspath(below), at, act, 0
        self._lasts, self._events = lasts, ("os.mkdir",) if is_growth else _EVENTS
        self._acted = mmap.mmap(-1, 1)  # shared with the child that is attacked

    @property
    def has_acted(self) -> bool:
        """Whether it has, in this process or a child."""
        return self._acted[0] > 0

    def install(self) -> None:
        """Watch this process from now on; it cannot be undone."""
        sys.addaudithook(self._hear)
        plain_open, plain_fsync = io.open, os.fsync

        def watched_open(file: Any, mode: str = "r", *rest: Any, **named: Any) -> Any:
            opened = plain_open(file, mode, *rest, **named)
            is_watched = any(letter in mode for letter in "wax+") and self._is_below(file)
            return _Watched(opened, self) if is_watched else opened

        def watched_fsync(descriptor: Any) -> None:
            self.tick()
            plain_fsync(descriptor)

        builtins.open = io.open = watched_open  # type: ignore[assignment]  # of one signature alone
        os.fsync = watched_fsync

    def tick(self, halfway: Callable[[], None] | None = None) -> None:
        """Count an operation, and act when its turn has come, after the first half of what is written."""
        self._count += 1
        if self._count == self._at or (self._lasts and self._count > self._at):
            if halfway is not None:
                halfway()
            self._acted[0] = 1
            self._act()

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        is_write = event == "open" and arguments[2] & _WRITING
        is_change = event in self._events
        if (is_write or is_change) and (self._is_below(arguments[0]) or (is_change and self._is_relative(arguments))):
            self.tick()

    def _is_below(self, path: Any) -> bool:
        return isinstance(path, str | os.PathLike) and os.path.abspath(os.fspath(path)).startswith(self._below)

    def _is_relative(self, arguments: tuple[Any, ...]) -> bool:
        """Say whether a name is relative to an open folder, as those are that shutil.rmtree removes."""
        return isinstance(arguments[-1], int) and arguments[-1] >= 0


class _Watched:
    """A file whose writes are counted."""

    def __init__(self, file: Any, hook: Hook) -> None:
        self._file, self._hook = file, hook

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> "_Watched":
        self._file.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._file.__exit__(*error)

    def __iter__(self) -> Any:
        return iter(self._file)

    def write(self, data: Any) -> int:
        def halfway() -> None:
            half = data[: len(data) // 2] if isinstance(data, str) else memoryview(data).cast("B")[: len(data) // 2]
            self._file.write(half)
            self._file.flush()

        self._hook.tick(halfway)
        return self._file.write(data)


def on_call(module: str, name: str, at: int, act: Callable[[], None]) -> Callable[[], None]:
    """Return what has this process act when a function is called the `at`-th time, before its first line.

    Args:
        module: Of the function.
        name: Its qualified name.
        at: From 1.
        act: What happens; must not raise, as Python would then forget to heed.
    """
    calls = 0

    def heed(frame: Any, event: str, _argument: Any) -> None:
        nonlocal calls
        code = frame.f_code
        if event == "call" and code.co_qualname == name and frame.f_globals.get("__name__") == module:
            calls += 1
            if calls == at:
                act()

    return lambda: sys.setprofile(heed)


def from_call(owner: Any, name: str, at: int, act: Callable[[], None]) -> Callable[[], None]:
    """Return what has this process act before the `at`-th call of a method and every later one.

    Args:
        owner: Its class.
        name: Of the method.
        at: From 1.
        act: What happens; what it raises comes out of the method.
    """
    plain, calls = getattr(owner, name), 0

    def heeded(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls >= at:
            act()
        return plain(*arguments, **named)

    return lambda: setattr(owner, name, heeded)


def kill() -> None:
    """End this process as kill -9 does."""
    os.kill(os.getpid(), signal.SIGKILL)


def refuse(number: int) -> Callable[[], None]:
    """Return what has the operation fail with an error of the disk, by its errno."""

    def act() -> None:
        raise OSError(number, os.strerror(number))

    return act


REFUSALS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO)
