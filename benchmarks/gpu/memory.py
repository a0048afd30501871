"""What a stack takes of a card beside what is predicted from two small ones, and what running out of it does."""

import gc
import tempfile
from collections.abc import Iterator
from typing import Any

import torch

from benchmarks.gpu.speed import CASES, program
from benchmarks.launcher import Deaf
from dlexp.engine.memory import largest_stack, peak_bytes
from dlexp.engine.stack.kind import stack_kinds
from dlexp.job.sweep import sweep

SIZES = (4, 8)
PREDICTED = 32
LADDER = "a sweep of 16 ResNet-20 with 2 GiB to take"


def predict(name: str) -> Iterator[dict[str, Any]]:
    """Yield a row for each form: bytes predicted for a stack from two smaller ones, and bytes that the card lost."""
    overrides = CASES[name]
    first = program(overrides, 1, is_graph=False)
    for kind in stack_kinds(first.model, first.dataset.in_shape, first.device)[0]:
        taken = [(size, lost(overrides, size, kind)) for size in SIZES]
        slope = (taken[1][1] - taken[0][1]) / (taken[1][0] - taken[0][0])
        predicted = taken[0][1] + slope * (PREDICTED - taken[0][0])
        measured = lost(overrides, PREDICTED, kind)
        yield {
            "engine": kind,
            "trials": PREDICTED,
            "predicted_mib": round(predicted / 2**20),
            "measured_mib": round(measured / 2**20),
            "room_for": largest_stack(taken[0], taken[1], torch.cuda.mem_get_info()[0]),
            "allocator_mib": round(peak_of(overrides, PREDICTED, kind) / 2**20),
        }


def lost(overrides: list[str], trials: int, kind: str) -> int:
    """Return the bytes that the card has less after three updates, all caches counted."""
    _clear()
    before = torch.cuda.mem_get_info()[0]
    stack = program(overrides, trials, kind)
    update = stack.run.one_update()
    for _ in range(3):
        update()
    torch.cuda.synchronize()
    return before - torch.cuda.mem_get_info()[0]


def peak_of(overrides: list[str], trials: int, kind: str) -> int:
    """Return the bytes that the allocator counts in an update."""
    stack = program(overrides, trials, kind)
    return peak_bytes(stack.run.one_update(), stack.device)


def ladder(_name: str) -> Iterator[dict[str, Any]]:
    """Yield how a sweep ends on a card that has no room for all its trials at once."""
    _clear()
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(2 * 2**30 / total)
    try:
        with tempfile.TemporaryDirectory() as runs_dir:
            rates = ",".join(f"{0.001 * (i + 1):g}" for i in range(16))
            overrides = [*CASES["resnet-20 32x32"], "trainer.device=cuda", "tracking=none", "trainer.epochs=1"]
            arguments = [*overrides, f"runs_dir={runs_dir}", "trainer.fuse=16", f"optimizer.lr={rates}"]
            search = sweep.start(arguments, None, announce=lambda _about: Deaf(), has_figures=False)
            ends = [trial["status"] for trial in search.outcome.result["trials"]]
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    yield {"trials": len(ends), "finished": ends.count("finished")}


def _clear() -> None:
    gc.collect()
    torch.cuda.synchronize()
    torch.cuda.empty_cache()
