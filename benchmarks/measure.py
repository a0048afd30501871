"""Interleaved timing of alternatives, wall time booked by cause, and the record: medians, spread, machine, versions."""

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

RESULTS = Path(__file__).parent / "results"
REST = "everything else"  # the cause of time that no other is booked under


def command_line(about: str | None) -> argparse.ArgumentParser:
    """Return what reads a benchmark's arguments; where none is added, it takes `--help` and refuses all others.

    Args:
        about: The module's docstring, whose first line is shown.
    """
    return argparse.ArgumentParser(description=(about or "").partition("\n")[0])


def interleave(
    alternatives: Mapping[str, Callable[[], Any]], repeats: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, list[float]]:
    """Return the seconds of each alternative in each repeat; they take turns, so that drift hits all alike.

    Args:
        alternatives: What is timed.
        repeats: Of each.
        clock: Of the wall, or of the process's CPU, for what computes in one thread while others use the machine.
    """
    import torch  # not by those who only write: a process that is started seems to take what its parent took

    seconds: dict[str, list[float]] = {name: [] for name in alternatives}
    for call in alternatives.values():
        call()  # warm-up
    for _ in range(repeats):
        for name, call in alternatives.items():
            started = clock()
            call()
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            seconds[name].append(clock() - started)
    return seconds


def ratio(seconds: dict[str, list[float]], ours: str, reference: str) -> float:
    """Return the median over repeats of reference / ours: above 1, ours is faster."""
    return statistics.median(b / a for a, b in zip(seconds[ours], seconds[reference], strict=True))


def machine() -> dict[str, Any]:
    """Return what the figures were measured on."""
    import torch

    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "cpu": _cpu_name(),
        "cores": psutil.cpu_count(),
        "torch_threads": torch.get_num_threads(),
        "gpu": gpu,
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def write(name: str, rows: list[dict[str, Any]], note: str) -> Path:
    """Write ``results/<name>.json``: the rows, what they mean, and the machine."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({"note": note, "machine": machine(), "rows": rows}, indent=1) + "\n")
    return path


def replace_between(text: str, name: str, table: str) -> str:
    """Return a page with what stands between its marks ``<!-- NAME:begin -->`` and ``<!-- NAME:end -->`` replaced.

    Args:
        text: The page.
        name: Of the marks.
        table: What is to stand there.

    Raises:
        ValueError: A mark is missing.
    """
    first, last = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    before, begin, rest = text.partition(first)
    _, end, after = rest.partition(last)
    if not (begin and end):
        raise ValueError(f"the page needs the marks {first} and {last}")
    return f"{before}{first}\n{table}\n{last}{after}"


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


class Account:
    """Seconds by cause: each moment belongs to the innermost cause that it is spent in.

    Args:
        clock: Of the wall, or of the process's CPU.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self.restart()
        self._open = [REST]

    def restart(self) -> None:
        """Forget what was booked."""
        self.seconds: dict[str, float] = {}
        self._since = self._clock()

    def spent(self) -> dict[str, float]:
        """Return seconds by cause until now."""
        self._book()
        return dict(self.seconds)

    def _book(self) -> None:
        now = self._clock()
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
