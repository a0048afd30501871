"""What a command takes: CPU seconds with all that it starts, wall seconds, and the memory of its largest process."""

import ctypes
import os
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
TICKS = os.sysconf("SC_CLK_TCK")
LOOK_SECONDS = 0.2


def adopt() -> None:
    """Become the parent of processes whose own parent ends (Linux)."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def measure(command: list[str], folder: Path | None = None) -> dict[str, Any]:
    """Run a command; return its CPU and wall seconds and the MiB of its largest process.

    CPU seconds are also those of what goes on after its end, which this process has to have adopted. Children that
    nobody waits for are in no sum of the system, such as those of Ray's daemons, which ignore SIGCHLD. So all
    descendants are looked at as they go, too, and the larger of the two sums counts: both are at most the truth.

    Args:
        command: Its words.
        folder: Where it runs; None for one of its own, which is removed.

    Raises:
        RuntimeError: It failed.
    """
    with tempfile.TemporaryDirectory() as scratch:
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "RAY_USAGE_STATS_ENABLED": "0"}
        began = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder or scratch, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        assert process.stderr is not None
        with _Look() as look:
            said = process.stderr.read()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            wall = time.perf_counter() - began
            cpu = usage.ru_utime + usage.ru_stime + _left_behind()
        cpu = max(cpu, look.seconds)
    if process.returncode:
        lines = said.decode(errors="replace").strip().splitlines() or [f"exit code {process.returncode}"]
        raise RuntimeError(lines[-1][:200])
    return {
        "cpu": round(cpu, 2),
        "wall": round(wall, 2),
        "rss": round(usage.ru_maxrss / 1024),
    }


def _left_behind() -> float:
    """Wait for the processes that outlive a command, which are this one's children by `adopt`; return their CPU."""
    seconds = 0.0
    while True:
        try:
            usage = os.wait4(-1, 0)[2]
        except ChildProcessError:
            return seconds
        seconds += usage.ru_utime + usage.ru_stime


class _Look:
    """Looks at the descendants of this process every `LOOK_SECONDS`.

    Attributes:
        spent: CPU seconds of each alone when it was last seen, by number and start.
    """

    def __init__(self) -> None:
        self.spent: dict[tuple[int, str], float] = {}
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._go_on, daemon=True)

    def __enter__(self) -> "_Look":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._is_over.set()
        self._thread.join()

    @property
    def seconds(self) -> float:
        """CPU seconds of all descendants that were seen."""
        return sum(self.spent.values())

    def _go_on(self) -> None:
        while not self._is_over.wait(LOOK_SECONDS):
            self._look()

    def _look(self) -> None:
        fields = {int(path.parent.name): words for path in Path("/proc").glob("[0-9]*/stat") if (words := _stat(path))}
        mine = {os.getpid()}
        while grown := {pid for pid, words in fields.items() if int(words[1]) in mine} - mine:
            mine |= grown
        for pid in mine - {os.getpid()}:
            words = fields[pid]
            self.spent[pid, words[19]] = (int(words[11]) + int(words[12])) / TICKS


def _stat(path: Path) -> list[str]:
    """Return the fields of a process from its state on (proc(5)); none for one that has ended."""
    try:
        return path.read_text().rpartition(")")[2].split()
    except OSError:
        return []
