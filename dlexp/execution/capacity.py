"""How many trials fit a device's memory at once: to update, and to evaluate."""

import gc
import os
from collections.abc import Callable
from dataclasses import dataclass

import torch

from dlexp import device as devices
from dlexp.build.components import Components
from dlexp.build.program import Program, make_program
from dlexp.engine.evaluate import predict
from dlexp.engine.graph.fork import STREAMS
from dlexp.engine.memory import guess_bytes, largest_stack, peak_bytes
from dlexp.error import is_out_of_memory
from dlexp.launcher.local import SHARE

MEMORY_SIZES = (2, 4)
CACHED = 1.1  # of what tensors take on a card: torch's allocator cannot fill all that it holds


def is_plenty(alone: Program, num_trials: int) -> bool:
    """Whether all trials fit ten times over by a generous guess; on CUDA it costs nothing to know."""
    if alone.device.type != "cpu":
        return False
    each = guess_bytes(alone.model, alone.dataset.in_shape, alone.run.trainer.batch_size)
    return each * num_trials < 0.1 * devices.free_bytes(alone.device)


def num_fitting(components: list[Components], kind: str) -> int:
    """Return how many trials fit the free memory, or the share of it that is this process's.

    Args:
        components: Of trials of equal structure.
        kind: Of stack.
    """
    sizes = [size for size in MEMORY_SIZES if size <= len(components)]
    if len(sizes) < 2:
        return len(components)
    device = components[0].place[0]
    if device.type == "cuda":
        # Libraries load what they load once, and every stream gets the work space that it has for good. Weighed with
        # the first program, they made a line that fell: the larger program took less.
        _taken(components[:STREAMS], kind, device)
    small, large = sizes
    by_small = _taken(components[:small], kind, device)
    by_large = by_small and _taken(components[:large], kind, device)
    if not by_small or not by_large:
        return small if by_small else 1
    free = int(float(os.environ.get(SHARE, "1")) * devices.free_bytes(device))
    return min(largest_stack((small, a), (large, b), free) for a, b in zip(by_small, by_large, strict=True))


def _taken(components: list[Components], kind: str, device: torch.device) -> tuple[int, ...] | None:
    """Return the bytes of a program by each way to count them that the device has; None where memory runs out."""
    try:
        if device.type == "cuda":
            return card_bytes(components, kind, device)
        return (counted_bytes(components, kind),)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return None


def counted_bytes(components: list[Components], kind: str) -> int:
    """Return what a program takes at most, by what torch makes: to update, and to evaluate."""
    built = make_program(components, kind)
    step = built.run.step
    lasting = [step.forward.flat.tensor, step.forward.grads, *step.state.values()]
    held = sum(tensor.numel() * tensor.element_size() for tensor in lasting)
    peaks = [peak_bytes(call, built.device) for call in _calls(built)]
    return held + max(peaks)


def card_bytes(components: list[Components], kind: str, device: torch.device) -> tuple[int, ...]:
    """Return what a program takes of a CUDA device, counted in four ways; each grows with the trials by its own line.

    While it is built, what tensors take at once. To update, the same, and what torch's allocator keeps, graphs' memory
    among it, in steps of up to 20 MiB in which small trials do not show. To evaluate, what tensors take on top of what
    the update keeps, as graphs' memory serves nothing else. What libraries take, once and in leaps, is left to the
    share of the memory that no plan touches.
    """
    _clear()
    start = _Usage.of(device)
    torch.cuda.reset_peak_memory_stats(device)
    built = make_program(components, kind)
    ways = [_Usage.of(device).peak - start.allocated, *_taken_by_calls(built, start, device)]
    del built
    _clear()
    return tuple(int(CACHED * way) for way in ways)


def _taken_by_calls(built: Program, start: "_Usage", device: torch.device) -> list[int]:
    """Return the bytes that an update's tensors take, those that the allocator keeps, and those of an evaluation."""
    ways: list[int] = []
    for call in _calls(built):
        before = _Usage.of(device)
        torch.cuda.reset_peak_memory_stats(device)
        call()
        call()
        torch.cuda.synchronize(device)
        torch.cuda.empty_cache()
        after = _Usage.of(device)
        if not ways:
            tensors = after.peak - start.allocated
            ways += [tensors, max(tensors, after.reserved - start.reserved)]
        else:
            ways.append(ways[0] + after.peak - before.allocated)
    return ways


@dataclass(frozen=True)
class _Usage:
    """Bytes of a CUDA device that torch's allocator holds, those in tensors, and the most in them since the reset."""

    reserved: int
    allocated: int
    peak: int

    @classmethod
    def of(cls, device: torch.device) -> "_Usage":
        cuda = torch.cuda
        return cls(cuda.memory_reserved(device), cuda.memory_allocated(device), cuda.max_memory_allocated(device))


def _clear() -> None:
    gc.collect()
    torch.cuda.empty_cache()


def _calls(built: Program) -> list[Callable[[], object]]:
    """Return an update and an evaluation of as many examples as are evaluated at once."""
    run = built.run
    calls: list[Callable[[], object]] = [run.one_update()]
    parts = [rows[: run.eval_batch_size] for rows in run.task.val]
    if len(parts[0]):
        calls.append(lambda: predict(run.step.forward, run.task, parts, run.eval_batch_size))
    return calls
