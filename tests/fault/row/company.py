"""Trials in company: one that diverges, memory that runs out, all that fail, five hundred in a row."""

import json
import os
import time
from pathlib import Path
from typing import Any

import psutil

from tests.fault.bits import digest, require_equal
from tests.fault.hook import from_call
from tests.fault.process import Command, dlexp
from tests.fault.promise import Attempt, Row
from tests.fault.row.killed import COMMON

SWEEP = ["sweep", *COMMON, "data.limit=300", "trainer.epochs=4", "optimizer=adam"]
RATES = ("0.001", "0.003", "0.01")
NUM_SOAK = 500


def trials() -> dict[str, dict[str, Any]]:
    """Return status and digests of the weights of each trial of the only sweep, by its learning rate."""
    documents = {}
    for path in Path("runs").glob("*/*/trials/*/manifest.json"):
        manifest = json.loads(path.read_text())
        weights = sorted(path.parent.glob("checkpoints/*/weights.safetensors"))
        rate = float(manifest["params"]["optimizer.lr"])
        documents[str(rate)] = {"status": manifest["status"], **{file.parent.name: digest(file) for file in weights}}
    return documents


def alone(attempt: Attempt) -> dict[str, Any]:
    """Return the trials of a sweep whose trials had no company; trained once."""
    stored = attempt.shared / "company" / "expected.json"
    if not stored.exists():
        stored.parent.mkdir(exist_ok=True)
        os.chdir(stored.parent)
        done = dlexp(*SWEEP, f"optimizer.lr={','.join(RATES)}", "trainer.fuse=3")
        assert done.code == 0, done.err
        stored.write_text(json.dumps(trials()))
        os.chdir(attempt.place)
    return json.loads(stored.read_text())


def others_equal(attempt: Attempt, told: dict[str, Any]) -> None:
    expected = alone(attempt)
    require_equal(expected, {rate: told.get(rate) for rate in expected})


def diverging(attempt: Attempt) -> None:
    """Train three good trials in one program with one or two that diverge."""
    rates = [f"{10 ** attempt.chance.uniform(8, 30):.3e}" for _ in range(attempt.chance.randint(1, 2))]
    order = attempt.chance.sample([*RATES, *rates], len(RATES) + len(rates))
    done = dlexp(*SWEEP, f"optimizer.lr={','.join(order)}", f"trainer.fuse={len(order)}")
    assert done.code == 0, done.err
    told = trials()
    assert all(told[str(float(rate))]["status"] == "diverged" for rate in rates), told
    others_equal(attempt, told)


def out_of_memory(attempt: Attempt) -> None:
    """Run out of memory at a chosen step of a program of three trials, once, twice or whenever a trial is alone too."""
    import torch

    from dlexp.engine.step import Step

    kind = ("once", "twice", "always")[attempt.case % 3]
    at, raised = attempt.chance.randint(1, 30), [0]

    def refuse() -> None:
        raised[0] += 1
        if kind == "always" or raised[0] <= (1 if kind == "once" else 2):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    prepare = from_call(Step, "__call__", at, refuse)
    done = Command(*SWEEP, f"optimizer.lr={','.join(RATES)}", "trainer.fuse=3", prepare=prepare).done()
    assert "Traceback" not in done.err, done.err[-500:]
    assert "internal error" not in done.err, done.err
    told = trials()
    if kind == "always":
        assert {trial["status"] for trial in told.values()} == {"failed"}, told
        assert done.code == 1, done.code
    else:
        assert done.code == 0, done.err
        assert {trial["status"] for trial in told.values()} == {"finished"}, told
        others_equal(attempt, told)


def all_fail(attempt: Attempt) -> None:
    """Search among settings that all diverge; the table says so, in one line with a cure and without a winner."""
    rates = ",".join(f"{10 ** attempt.chance.uniform(10, 30):.2e}" for _ in range(3))
    fuse = attempt.chance.choice(["off", "3"])
    done = dlexp(*SWEEP, f"optimizer.lr={rates}", f"trainer.fuse={fuse}")
    assert done.code in (0, 1), done.code
    assert "Traceback" not in done.err, done.err[-500:]
    assert "internal error" not in done.err, done.err
    assert "diverged" in done.out + done.err, done.out
    assert {trial["status"] for trial in trials().values()} == {"diverged"}


def soak(attempt: Attempt) -> None:
    """Train 500 trials in one process; memory, descriptors, threads and children after 500 are those after 100."""
    words = [*SWEEP, "search=random", f"search.trials={NUM_SOAK}", "optimizer.lr=tag(log,interval(1e-4,1e-1))"]
    words = ["trainer.epochs=1" if word.startswith("trainer.epochs") else word for word in words]
    command = Command(*words, "trainer.fuse=off")
    early, late = Sample(), Sample()
    process = psutil.Process(command.pid)
    while not command.is_over():
        finished = len(list(Path("runs").glob("*/*/trials/*/result.json")))
        if 100 <= finished < 150:
            early.take(process)
        if 420 <= finished < NUM_SOAK - 5:
            late.take(process)
        time.sleep(0.2)
    done = command.done()
    assert done.code == 0, done.err
    assert len(trials()) == NUM_SOAK
    assert late.memory < 1.15 * early.memory, f"memory from {early.memory >> 20} to {late.memory >> 20} MiB"
    assert late.descriptors <= early.descriptors + 3, f"descriptors from {early.descriptors} to {late.descriptors}"
    assert late.threads <= early.threads + 2, f"threads from {early.threads} to {late.threads}"
    assert late.zombies == 0, f"{late.zombies} zombies"


class Sample:
    """The most of each resource that a process had over a time."""

    def __init__(self) -> None:
        self.memory = self.descriptors = self.threads = self.zombies = 0

    def take(self, process: psutil.Process) -> None:
        """Look at a process, which may just have ended."""
        try:
            zombies = [child for child in process.children() if child.status() == psutil.STATUS_ZOMBIE]
            self.memory = max(self.memory, process.memory_info().rss)
            self.descriptors = max(self.descriptors, process.num_fds())
            self.threads = max(self.threads, process.num_threads())
            self.zombies = max(self.zombies, len(zombies))
        except psutil.Error:
            return


ROWS = [
    Row(
        "one-diverges",
        "A trial that diverges leaves the others of its program as they are, to the bit",
        "learning rates of 1e8 to 1e30 for one or two of four or five trials in one program",
        diverging,
        fast=1,
        full=20,
    ),
    Row(
        "out-of-memory",
        "Trials whose program runs out of memory train in less company, then alone; what fails there is `failed`",
        "out of memory raised at a random step: once, twice, always",
        out_of_memory,
        fast=1,
        full=12,
    ),
    Row(
        "all-fail",
        "A search in which every trial diverges ends with its table and without a traceback",
        "three learning rates of 1e10 to 1e30, alone and stacked",
        all_fail,
        fast=1,
        full=10,
    ),
    Row(
        "soak",
        f"{NUM_SOAK} trials in a row take no more memory, descriptors or threads than 100, and leave no zombie",
        f"a random search of {NUM_SOAK} trials, watched from outside",
        soak,
        fast=0,
        full=1,
        limit=900.0,
    ),
]
