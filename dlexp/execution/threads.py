"""How many CPU threads a run takes where `trainer.threads=auto` leaves it open: one, or torch's choice, by the clock.

What pays depends on the model and on who else computes on the machine, so some first updates of the run itself are
timed with either count, and undone: the run then starts from the very bits it had. A small dense model takes one thread
untimed. Numbers depend on threads in their last digits; the manifest records the count, with which the run goes on.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch

from dlexp import device as devices
from dlexp.build.program import Program
from dlexp.engine.snapshot import restore, snapshot
from dlexp.engine.train import Run
from dlexp.number import noun

WORTH = 1.1  # gain from which more threads are taken: a smaller one is not worth a second core
CLEAR = 1.5  # gain that one turn is enough to tell
HOPELESS = 4  # times as long as with one thread, from which two updates with more are the last
MOST_TURNS = 32
LEAST_SECONDS = 0.05  # that the clock may take, however short the run
SHARE = 0.03  # of the run's expected seconds that the clock may take
FEWEST_UPDATES = 50  # a shorter run would not earn what the clock takes


@dataclass(frozen=True)
class Timed:
    """What was chosen.

    Attributes:
        threads: Of the run.
        seconds: Mean seconds of an update by number of threads.
    """

    threads: int
    seconds: dict[int, float]

    def __str__(self) -> str:
        """Return the choice in a few words, for the line that names the device."""
        taken = [f"{1e3 * seconds:.3g} ms with {count}" for count, seconds in sorted(self.seconds.items())]
        return f"an update takes {', '.join(taken)}"


def settle_threads(program: Program) -> Program:
    """Choose the threads of a new run, where they are open, and set them; return the program with its device line.

    Args:
        program: Of one trial, before its first update; it is left as it was.
    """
    if not _is_open(program):
        return program
    timed = time_threads(program.run, devices.TORCH_THREADS)
    torch.set_num_threads(timed.threads)
    line = program.device_line.rpartition(", ")[0]
    return replace(program, device_line=f"{line}, {noun(timed.threads, 'thread')} ({timed})")


def threads_of_many(first: Program, trainer: dict[str, Any]) -> int | None:
    """Return the CPU threads of new trials or folds that choose no other, timed with the first; None on a GPU.

    Args:
        first: The first one's program; it is left as it was.
        trainer: The configuration's group `trainer`.
    """
    if _is_open(first):
        return time_threads(first.run, devices.TORCH_THREADS).threads
    return devices.threads_of(trainer, first.device)


def _is_open(program: Program) -> bool:
    run = program.run
    is_cpu_s = program.device.type == "cpu" and not run.trainer.compile and devices.TORCH_THREADS > 1
    if run.trainer.threads != "auto" or not is_cpu_s or run.number or run.task.exchange.size > 1:
        return False
    is_small = devices.suggest_threads(program.model, run.trainer.batch_size) is not None
    return not is_small and num_updates(run) >= FEWEST_UPDATES


def num_updates(run: Run) -> int:
    """Return the updates of a run that does not stop early."""
    return run.steps_per_epoch * run.trainer.epochs


def time_threads(run: Run, many: int) -> Timed:
    """Time the first update of a run with one thread and with many, in turns, and undo it.

    Args:
        run: Before its first update; it is left as it was, but for torch's number of threads.
        many: The other count, > 1.
    """
    before = snapshot(run)
    update = run.one_update()
    _seconds(update, 1)  # what is made once
    first, alone = _seconds(update, many), _seconds(update, 1)
    if first > HOPELESS * alone:  # or the scheduler had other things to do
        first = min(first, _seconds(update, many))
    means = {1: alone, many: first} if first > HOPELESS * alone else _means(update, (1, many), num_updates(run))
    run.sums = None
    restore(run, *before)
    return Timed(many if means[1] >= WORTH * means[many] else 1, means)


def _means(update: Callable[[], None], counts: tuple[int, int], updates: int) -> dict[int, float]:
    """Return the mean seconds of an update with either count, in turns, as many as a run of so many updates bears."""
    spent: dict[int, list[float]] = {count: [] for count in counts}
    began = time.perf_counter()
    for turn in range(MOST_TURNS):
        for count in counts if turn % 2 == 0 else counts[::-1]:
            spent[count].append(_seconds(update, count))
        if _is_enough(spent, time.perf_counter() - began, updates):
            break
    return {count: sum(seconds) / len(seconds) for count, seconds in spent.items()}


def _is_enough(spent: dict[int, list[float]], seconds: float, updates: int) -> bool:
    """Say whether the clock has had its share of the run, or tells the counts apart at once."""
    fast, slow = sorted(sum(each) / len(each) for each in spent.values())
    allowed = max(LEAST_SECONDS, SHARE * updates * fast)
    return seconds >= allowed or (slow > CLEAR * fast and seconds >= LEAST_SECONDS)


def _seconds(update: Callable[[], None], threads: int) -> float:
    torch.set_num_threads(threads)
    started = time.perf_counter()
    update()
    return time.perf_counter() - started
