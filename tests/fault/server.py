"""Forks a process for each attempt: `python -m tests.fault.server`, wanted by lines of JSON and answering in them.

It imports what training needs once and runs nothing itself, so that a fork is safe and costs milliseconds.
"""

import json
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from tests.fault.catalogue import row_of
from tests.fault.clock import Clock
from tests.fault.promise import Attempt, NotPossible, Row, TooLate, case_of, chance_of

_TRIES = 6  # of an attempt whose fault comes too late
_has_workers = False


def _import() -> None:
    """Import what commands import, so that no child has to."""
    from importlib import import_module

    for name in (
        "optuna",
        "scipy.stats",
        "sklearn.datasets",
        "torch._dynamo",  # which the first TorchDispatchMode imports
        "dlexp.cli",
        "dlexp.doctor",
        "dlexp.job.compare.comparison",
        "dlexp.job.cv.cv",
        "dlexp.job.inference.evaluate",
        "dlexp.job.inference.predict",
        "dlexp.job.sweep.sweep",
        "dlexp.job.train.train",
        "dlexp.job.train.verify",
        "dlexp.run.listing.ranking",
        "dlexp.search.trial_id",
    ):
        import_module(name)
    from dlexp.search.trial_id import code_version

    code_version()
    for name in ("dlexp.execution.result", "dlexp.job.sweep.sweep", "dlexp.job.cv.result"):
        # figures take four times as long as all the rest of such a short run
        setattr(import_module(name), "attempt", lambda _draw, _log: True)  # noqa: B010  # pyright knows no such attribute


def start_workers() -> None:
    """Start one server of workers here, which children take for theirs: its imports would cost each of them seconds."""
    global _has_workers
    from multiprocessing import forkserver

    from dlexp.execution.executor import Executor
    from dlexp.launcher.process_pool import ProcessPool

    if not _has_workers:
        ProcessPool(Executor, [{}], ["sklearn.datasets", Executor.__module__])
        forkserver.ensure_running = forkserver._forkserver.ensure_running = lambda: None
        _has_workers = True


def attempt(row: Row, seed: int, number: int, shared: Path) -> dict[str, Any]:
    """Return what came of an attempt: its seconds, and the fault in `fault`, or what is missing in `impossible`.

    An attempt that came too late is made again, earlier; when it always is, nothing was attacked: it was not possible.
    """
    begin, answer = time.monotonic(), {}
    for i in range(_TRIES):
        place = Path(tempfile.mkdtemp(prefix=f"{row.id}-", dir=shared.parent))
        trial = Attempt(place, shared, chance_of(row, seed, number), case_of(row, seed, number), 0.5**i)
        answer = _forked(row, trial)
        shutil.rmtree(place, ignore_errors=True)
        if "late" not in answer:
            return {"seconds": round(time.monotonic() - begin, 3), **answer}
    why = f"too late {_TRIES} times: {answer['late']}"
    return {"seconds": round(time.monotonic() - begin, 3), "impossible": why}


def _forked(row: Row, trial: Attempt) -> dict[str, Any]:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _child(row, trial, writing)
    os.close(writing)
    return _result(pid, reading, row.limit)


def _child(row: Row, trial: Attempt, writing: int) -> None:
    told: dict[str, Any] = {}
    try:
        os.setsid()
        _redirect(trial.place)
        cases = row.check(trial)
        told = {} if cases is None else {"cases": cases}
    except TooLate as error:
        told = {"late": str(error)}
    except NotPossible as error:
        told = {"impossible": str(error)}
    except BaseException as error:
        told = {"fault": f"{type(error).__name__}: {error}", "trace": traceback.format_exc()}
    finally:
        _end_children(psutil.Process())
        os.write(writing, json.dumps(told).encode()[:60_000])
        os._exit(0)


def _redirect(place: Path) -> None:
    """Give the attempt a home, a working directory and streams of its own."""
    os.chdir(place)
    void = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(void, number)
    home = place.with_name(f"{place.name}.home")
    home.mkdir(exist_ok=True)
    os.environ |= {"HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"), "COLUMNS": "100"}


def _result(pid: int, reading: int, limit: float) -> dict[str, Any]:
    clock = Clock(pid)
    while os.waitpid(pid, os.WNOHANG)[0] == 0:
        if (answer := _hung(clock, limit)) is not None:
            process = psutil.Process(pid)
            _end_children(process)
            process.kill()
            os.waitpid(pid, 0)
            os.close(reading)
            return answer
        time.sleep(0.005)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    return json.loads(text) if text else {"fault": "the attempt died"}


def _hung(clock: Clock, limit: float) -> dict[str, Any] | None:
    """Return what to answer where an attempt has to be ended; None where it may go on."""
    try:
        return {"fault": f"no end within {limit:.0f} s of computing and waiting"} if clock.is_past(limit) else None
    except NotPossible as error:
        return {"impossible": str(error)}


def _end_children(process: psutil.Process) -> None:
    with suppress(psutil.Error):
        for child in process.children(recursive=True):
            with suppress(psutil.Error):
                child.kill()


def main() -> None:
    """Answer until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    shared = Path(sys.argv[1])
    shared.mkdir(parents=True, exist_ok=True)
    _import()
    for line in sys.stdin:
        wanted = json.loads(line)
        row = row_of(wanted["row"])
        if row.has_workers:
            start_workers()
        answers.write(json.dumps(attempt(row, wanted["seed"], wanted["number"], shared)) + "\n")


if __name__ == "__main__":
    main()
