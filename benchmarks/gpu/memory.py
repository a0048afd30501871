"""What a stack takes of a card beside what is predicted from two small ones, and what running out of it does."""

import gc
import tempfile
from collections.abc import Iterator
from typing import Any

import torch

from benchmarks.gpu.speed import CASES, trials_of
from benchmarks.launcher import Deaf
from dlexp.build.program import make_program
from dlexp.engine.graph.fork import STREAMS
from dlexp.engine.memory import HEADROOM, largest_stack
from dlexp.engine.stack.kind import stack_kinds
from dlexp.execution.capacity import CACHED, MEMORY_SIZES, card_bytes
from dlexp.job.sweep import sweep

PREDICTED = 32
LADDER = "a sweep of 16 ResNet-20 with 2 GiB to take"


def predict(name: str) -> Iterator[dict[str, Any]]:
    """Yield a row for each form: bytes that the plan sets aside for a stack, and bytes that it needs."""
    components = trials_of(CASES[name], PREDICTED)
    first = make_program(components[:1])
    kinds, _ = stack_kinds(first.model, first.dataset.in_shape, first.device)
    for kind in kinds:
        card_bytes(components[:STREAMS], kind, first.device)
        small, large = ((size, card_bytes(components[:size], kind, first.device)) for size in MEMORY_SIZES)
        lines = [((small[0], a), (large[0], b)) for a, b in zip(small[1], large[1], strict=True)]
        predicted = max(_at(*line) for line in lines) / HEADROOM
        needed = max(card_bytes(components, kind, first.device)) / CACHED
        free = torch.cuda.mem_get_info()[0]
        yield {
            "engine": kind,
            "trials": PREDICTED,
            "predicted_mib": round(predicted / 2**20),
            "taken_mib": round(needed / 2**20),
            "room_for": min(largest_stack(*line, free) for line in lines),
            "failures": [] if predicted >= needed else ["takes more than is predicted"],
        }


def _at(small: tuple[int, int], large: tuple[int, int]) -> float:
    """Return the bytes of PREDICTED trials by the line through two measurements, which does not fall."""
    return small[1] + max(0.0, (large[1] - small[1]) / (large[0] - small[0])) * (PREDICTED - small[0])


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
