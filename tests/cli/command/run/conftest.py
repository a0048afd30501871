import os
import pty
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from threading import Thread

import pytest

from tests.run.fake_run import fake_run

__all__ = ["fake_run"]
MAIN = import_module("dlexp.cli.app").main  # installed from cli/, which type checkers cannot see


def _read(descriptor: int, chunks: list[bytes]) -> None:
    """Gather what is written to a terminal until its other end is closed, which Linux tells as an error."""
    with suppress(OSError):
        while chunk := os.read(descriptor, 65536):
            chunks.append(chunk)


@pytest.fixture
def on_terminal(monkeypatch) -> Callable[..., list[str]]:
    """Run a command in this process, its output onto a terminal of a width; return what the lines show."""

    def call(width, *arguments):
        master, slave = pty.openpty()
        monkeypatch.setenv("COLUMNS", str(width))  # else rich looks at this process's own streams
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("NO_COLOR", "1")
        monkeypatch.setattr(sys, "argv", ["dlexp", *arguments])
        chunks: list[bytes] = []
        reader = Thread(target=_read, args=(master, chunks))
        reader.start()
        with open(slave, "w", encoding="utf-8") as terminal, monkeypatch.context() as patch:
            for name in ("stdin", "stdout", "stderr"):
                patch.setattr(sys, name, terminal)
                patch.setattr(sys, f"__{name}__", terminal)
            with pytest.raises(SystemExit):
                MAIN()
        reader.join()
        os.close(master)
        return re.sub(r"\x1b\[[0-9;]*m", "", b"".join(chunks).decode()).replace("\r\n", "\n").splitlines()

    return call
