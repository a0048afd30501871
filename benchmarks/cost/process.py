"""What a command takes: CPU seconds with all that it starts, wall seconds, and the memory of its largest process."""

import ctypes
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


def adopt() -> None:
    """Become the parent of processes whose own parent ends (Linux)."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def measure(command: list[str], folder: Path | None = None) -> dict[str, Any]:
    """Run a command; return its CPU and wall seconds and the MiB of its largest process.

    CPU seconds are also those of what goes on after its end, which this process has to have adopted.

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
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - began
        cpu = usage.ru_utime + usage.ru_stime + _left_behind()
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
