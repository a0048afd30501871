"""Signals: the first one asks, the second one ends, and what was begun goes on to the same bits."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from tests.fault.bits import require_equal
from tests.fault.hook import on_call
from tests.fault.moment import halt_training, moment
from tests.fault.process import Command, Done, dlexp
from tests.fault.promise import Attempt, Row
from tests.fault.row.killed import COMMON, NUM_EPOCHS, TRAIN, begin_or_go_on, finish, trained, undisturbed

PHASES = {  # function that the signal comes in, and its how manyeth call
    "loading data": ("dlexp.build.dataset", "load_data", 1),
    "building": ("dlexp.build.program", "make_program", 1),
    "training": ("dlexp.engine.step", "Step.__call__", 100),
    "evaluating": ("dlexp.engine.evaluate", "predict", 4),
    "saving": ("dlexp.engine.checkpoint", "save", 5),
}
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
CASES = [(phase, signum, times) for phase in PHASES for signum in SIGNALS for times in (1, 2)]
PATIENCE = 80.0  # seconds that a machine with other work may need for what takes a tenth of one


def send(*signals: int) -> Callable[[], None]:
    def act() -> None:
        for number in signals:
            os.kill(os.getpid(), number)

    return act


def status() -> str | None:
    """Return the status of the only run; None where none was begun."""
    manifests = list(Path("runs").glob("*/*/manifest.json"))
    return json.loads(manifests[0].read_text())["status"] if manifests else None


def require_quiet_end(done: Done, *codes: int) -> None:
    assert done.code in codes, f"exit {done.code}, not {codes}: {done.err[-300:]}"
    assert "Traceback" not in done.err + done.out, done.err[-500:]
    assert "internal error" not in done.err, done.err


def signalled(attempt: Attempt) -> None:
    """Signal a training in one of its phases, once or twice."""
    phase, signum, times = CASES[attempt.case]
    expected = undisturbed(attempt, "train", TRAIN, trained)
    prepare = on_call(*PHASES[phase], send(*[signum] * times))
    done = Command(*TRAIN, prepare=prepare).done(PATIENCE)
    require_quiet_end(done, 128 + signum)
    assert status() in (None, "interrupted"), status()
    if times == 1 and phase in ("training", "evaluating", "saving"):
        assert "--resume" in done.out + done.err, "no word of how to go on"
    finish(TRAIN)
    require_equal(expected, trained(Path("runs")))


def waiting(attempt: Attempt) -> None:
    """Signal a training that has ended and waits for MLflow; its result stays, and the process ends."""
    signum = SIGNALS[attempt.case % len(SIGNALS)]
    words = [*(word for word in TRAIN if not word.startswith(("tracking=", "trainer.epochs="))), "trainer.epochs=2"]
    act = on_call("dlexp.tracking.mlflow", "Outbox.finish", 1, send(signum))
    done = Command(*words, "tracking.uri=http://127.0.0.1:9", prepare=act).done(PATIENCE)
    require_quiet_end(done, 0, 128 + signum)
    assert status() == "finished", status()
    assert "dlexp sync" in done.out + done.err, "no word of how to send it"


def compiling(attempt: Attempt) -> None:
    """Signal a training while torch compiles its model."""
    signum = SIGNALS[attempt.case % len(SIGNALS)]
    words = ["train", *COMMON, "data.limit=300", "trainer.epochs=1", "trainer.compile=true"]
    prepare = on_call("torch._dynamo.convert_frame", "compile_frame", 1, send(signum))
    done = Command(*words, prepare=prepare).done(100)
    require_quiet_end(done, 128 + signum)
    assert status() in (None, "interrupted"), status()


def stopped(attempt: Attempt) -> None:
    """Stop a training for a second; nobody else takes its run, and it goes on as if nothing had been."""
    expected = undisturbed(attempt, "train", TRAIN, trained)
    command = Command(*TRAIN)
    halt_training(command, moment(attempt, 31, 1), NUM_EPOCHS - 1)
    try:
        second = dlexp("train", "--resume", "last", "--runs-dir", "runs")
        assert (second.code, "in use by process" in second.err) == (2, True), second.err
        time.sleep(attempt.chance.uniform(0, 1))
    finally:
        command.signal(signal.SIGCONT)
    done = command.done()
    assert done.code == 0, done.err
    require_equal(expected, trained(Path("runs")))


def hung_up(attempt: Attempt) -> None:
    """Close the terminal of a training: the shell and the kernel both hang up."""
    expected = undisturbed(attempt, "train", TRAIN, trained)
    command = begin_or_go_on(TRAIN)
    halt_training(command, moment(attempt, 31, 1), NUM_EPOCHS - 3)
    command.signal(signal.SIGHUP)
    command.signal(signal.SIGCONT)
    time.sleep(attempt.chance.uniform(0, 0.01))
    command.signal(signal.SIGHUP)
    require_quiet_end(command.done(PATIENCE), 129)
    assert status() == "interrupted"
    finish(TRAIN)
    require_equal(expected, trained(Path("runs")))


ROWS = [
    Row(
        "signalled",
        "A signal ends a training with its exit code, a checkpoint and the line to go on with; a second one at once",
        "SIGTERM, SIGINT, SIGHUP, once and twice, while data load, the program is built, trained, evaluated, saved",
        signalled,
        fast=3,
        full=len(CASES),
    ),
    Row(
        "signalled-waiting",
        "Who waits for MLflow can leave: the result is there, and how to send it is said",
        "SIGTERM, SIGINT, SIGHUP while a finished run waits for a server that does not answer",
        waiting,
        fast=1,
        full=6,
    ),
    Row(
        "signalled-compiling",
        "A signal during compilation ends the run with its exit code and without a traceback",
        "SIGTERM, SIGINT, SIGHUP as torch begins to compile",
        compiling,
        fast=0,
        full=3,
    ),
    Row(
        "stopped",
        "A stopped process keeps its run, and goes on to the same bits",
        "SIGSTOP at a random epoch, another process that tries to go on with the run, SIGCONT",
        stopped,
        fast=1,
        full=20,
    ),
    Row(
        "hung-up",
        "A terminal that closes leaves a checkpoint, and a run that goes on to the same bits",
        "SIGHUP twice within 10 ms at a random epoch",
        hung_up,
        fast=1,
        full=20,
    ),
]
