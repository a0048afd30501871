"""What an update of a run costs, operator by operator, and what bounds it: ``trainer.profile=true``.

A program of its own, built like the run's, does some updates by the clock and some under torch's profiler, so that the
run's numbers stay what they are. A share of the time is data (reading and augmenting batches), arithmetic (matrix
products and convolutions), memory (everything else that operators do) or launches (what is left: Python, and the start
of operators).
"""

import csv
import os
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor

from dlexp import device as devices
from dlexp.build.program import Program, make_program
from dlexp.data.feed import Resident, Streaming
from dlexp.disk.durable import disk_faults
from dlexp.disk.regular import make_own
from dlexp.engine.train import Run

WARM, MEASURED, PROBES = 5, 20, 50  # updates, updates, tiny operators
DEAREST = 10
DATA, PROBE = "data", "probe"  # names of marked regions
# operators of torch, and kernels of cuBLAS, cuDNN and cutlass
ARITHMETIC = re.compile(
    r"(:|add|b)mm|:mv\b|:dot\b|linear|convolution|conv[1-3]d|mkldnn|gemm|gemv|cutlass|xmma|[dfw]prop|[dw]grad|winograd"
)
CURES = {
    "launches": "a larger trainer.batch_size, or many trials at once (dlexp sweep), cost little more",
    "data": "less augmentation, or smaller pictures (data.size), would shorten it",
    "arithmetic": "mixed precision, or fewer and smaller layers, would shorten it",
    "memory": "mixed precision, or less between the matrix products (norm, activation, dropout), would shorten it",
}
UNSEEN = (
    "what bounds it is unknown, as the kernels were not recorded: the driver lets administrators only, or CUPTI is "
    "missing (NVIDIA: ERR_NVGPUCTRPERM)"
)


@dataclass(frozen=True)
class Operator:
    """An operator of torch: its calls an update, and the seconds of an update in it and in nothing that it calls."""

    name: str
    calls: float
    seconds: float


@dataclass(frozen=True)
class Profile:
    """An update by what its time goes to.

    Attributes:
        seconds: Wall time, without the profiler.
        shares: Of that time: launches, data, arithmetic, memory; they add up to 1. Empty where a card's
            kernels were not recorded.
        operators: The dearest first.
    """

    seconds: float
    shares: dict[str, float]
    operators: list[Operator]

    def __str__(self) -> str:
        """Return the shares in one line, with what bounds the update and what would help."""
        if not self.shares:
            return f"an update takes {1e6 * self.seconds:,.0f} us; {UNSEEN}"
        ranked = sorted(self.shares, key=lambda name: -self.shares[name])
        told = ", ".join(f"{name} {100 * self.shares[name]:.0f} %" for name in ranked)
        return f"an update takes {1e6 * self.seconds:,.0f} us: {told}; bound by {ranked[0]}: {CURES[ranked[0]]}"


def write_profile(built: Program, folder: Path) -> Profile:
    """Profile a program like a given one; write ``trace.json.gz`` (for Perfetto) and ``operators.csv``.

    Args:
        built: Of one trial; it stays as it is.
        folder: Made if it is not there.
    """
    run = _marked(make_program(built.components).run)
    seconds = _seconds(run, built.device)
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # else its library says on stderr that it begins, and lacks a card
    activities = [torch.profiler.ProfilerActivity.CPU]
    activities += [torch.profiler.ProfilerActivity.CUDA] if built.device.type == "cuda" else []
    with torch.profiler.profile(activities=activities) as profiler:
        _update(run, MEASURED)
        devices.synchronize(built.device)
        with torch.profiler.record_function(PROBE):
            number = torch.ones(1)
            for _ in range(PROBES):
                number.add_(1)
    trace, table = folder / "trace.json.gz", folder / "operators.csv"
    with disk_faults(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for path in (trace, table):
            make_own(path)
        profiler.export_chrome_trace(str(trace))
    profile = digest(profiler.events() or [], seconds, is_cuda=built.device.type == "cuda")
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["operator", "calls an update", "microseconds an update", "share"])
        for each in profile.operators[:DEAREST]:
            row = (each.name, f"{each.calls:g}", f"{1e6 * each.seconds:.1f}", f"{each.seconds / profile.seconds:.3f}")
            writer.writerow(row)
    return profile


def digest(events: Sequence[Any], seconds: float, *, is_cuda: bool) -> Profile:
    """Divide the time of an update among what operators do.

    On a CPU what an operator on one number takes is launches in every operator; on CUDA kernels are counted.

    Args:
        events: Of the profiler, over `MEASURED` updates and `PROBES` tiny operators.
        seconds: Of an update by the clock.
        is_cuda: Whether the updates ran on CUDA.
    """
    probes = [event.self_cpu_time_total for event in events if event.name != PROBE and _is_inside(event, PROBE)]
    start = median(probes) if probes else 0.0
    spent: dict[str, list[float]] = defaultdict(list)
    for name, microseconds in _kernels(events) if is_cuda else _operators(events, start):
        spent[name].append(microseconds)
    if is_cuda and not spent:
        return Profile(seconds, {}, [])
    operators = [Operator(name, len(each) / MEASURED, _of_an_update(each)) for name, each in spent.items()]
    arithmetic = sum(each.seconds for each in operators if ARITHMETIC.search(each.name))
    memory = sum(each.seconds for each in operators) - arithmetic
    rest = max(0.0, seconds - arithmetic - memory)
    data = min(rest, _of_an_update([event.cpu_time_total for event in events if event.name == DATA]))
    spent_on = {"launches": rest - data, "data": data, "arithmetic": arithmetic, "memory": memory}
    total = sum(spent_on.values())
    return Profile(
        seconds,
        {name: value / total for name, value in spent_on.items()},
        sorted(operators, key=lambda operator: -operator.seconds),
    )


def _of_an_update(microseconds: list[float]) -> float:
    """Return the seconds of an update, the median of them all where an operator is in each: neighbours disturb some."""
    num = len(microseconds)
    if num < MEASURED:
        return sum(microseconds) / MEASURED / 1e6
    bounds = [update * num // MEASURED for update in range(MEASURED + 1)]
    return median(sum(microseconds[first:last]) for first, last in pairwise(bounds)) / 1e6


def _operators(events: Sequence[Any], start: float) -> Iterator[tuple[str, float]]:
    """Yield name and microseconds of each operator outside the marked regions, beyond what its start takes."""
    for event in events:
        if not _is_inside(event, DATA) and not _is_inside(event, PROBE):
            yield event.name, max(0.0, event.self_cpu_time_total - start)


def _kernels(events: Sequence[Any]) -> Iterator[tuple[str, float]]:
    """Yield name and microseconds of each kernel and copy on the card."""
    for event in events:
        if event.device_type.name == "CUDA" and not event.is_user_annotation:
            yield event.name, event.self_device_time_total


def _is_inside(event: Any, region: str) -> bool:
    while event is not None:
        if event.name == region:
            return True
        event = event.cpu_parent
    return False


def _seconds(run: Run, device: torch.device) -> float:
    """Return the shortest mean of some rounds, after updates that let everything be made that is made once."""
    _update(run, WARM)
    rounds = []
    for _ in range(3):
        devices.synchronize(device)
        began = time.perf_counter()
        _update(run, MEASURED)
        devices.synchronize(device)
        rounds.append((time.perf_counter() - began) / MEASURED)
    return min(rounds)


def _update(run: Run, updates: int) -> None:
    """Do some updates, with what reads and augments their batches, over as many epochs as it takes."""
    until = run.number + updates
    run.should_stop = lambda: run.number >= until
    while run.number < until:
        for _ in run.updates():
            pass
        if run.position >= run.steps_per_epoch:
            run.position = 0


def _marked(run: Run) -> Run:
    """Return a run whose reading and augmenting are regions of a profile."""
    augments: list[Any] = [None if augment is None else _marking(augment) for augment in run.task.augments]
    run.task = replace(run.task, feed=_Feed(run.task.feed), augments=augments)
    return run


def _marking(call: Callable[..., Any]) -> Callable[..., Any]:
    def marked(*args: Any) -> Any:
        with torch.profiler.record_function(DATA):
            return call(*args)

    return marked


class _Feed:
    """A feed whose batches are waited for inside a region."""

    def __init__(self, feed: Resident | Streaming) -> None:
        self.feed, self.device = feed, feed.device
        self.inputs, self.targets = feed.inputs, feed.targets

    def batches(self, index_list: Sequence[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        batches = self.feed.batches(index_list)
        while True:
            with torch.profiler.record_function(DATA):
                batch = next(batches, None)
            if batch is None:
                return
            yield batch
