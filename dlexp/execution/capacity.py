"""How many trials fit a device's memory at once: to update, and to evaluate."""

import gc
import os
from collections.abc import Callable

import torch

from dlexp import device as devices
from dlexp.build.components import Components
from dlexp.build.program import Program, make_program
from dlexp.engine.evaluate import predict
from dlexp.engine.memory import guess_bytes, largest_stack, peak_bytes
from dlexp.launcher.local import SHARE

MEMORY_SIZES = (2, 4)


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
        lost_bytes(components[: sizes[0]], kind, device)  # libraries load what they load once
        taken = [(size, lost_bytes(components[:size], kind, device)) for size in sizes]
    else:
        taken = [(size, counted_bytes(components[:size], kind)) for size in sizes]
    share = float(os.environ.get(SHARE, "1"))
    return largest_stack(taken[0], taken[1], int(share * devices.free_bytes(device)))


def counted_bytes(components: list[Components], kind: str) -> int:
    """Return what a program takes at most, by what torch makes: to update, and to evaluate."""
    built = make_program(components, kind)
    step = built.run.step
    lasting = [step.forward.flat.tensor, step.forward.grads, *step.state.values()]
    held = sum(tensor.numel() * tensor.element_size() for tensor in lasting)
    peaks = [peak_bytes(call, built.device) for call in _calls(built)]
    return held + max(peaks)


def lost_bytes(components: list[Components], kind: str, device: torch.device) -> int:
    """Return by how much a program's updates and evaluation shorten the free memory of a CUDA device.

    Graphs' own memory and the workspaces of libraries count too, of which torch's allocator knows nothing.
    """
    gc.collect()
    torch.cuda.empty_cache()
    before = torch.cuda.mem_get_info(device)[0]
    built = make_program(components, kind)
    for call in _calls(built):
        call()
        call()
    torch.cuda.synchronize(device)
    after = torch.cuda.mem_get_info(device)[0]
    del built
    gc.collect()
    torch.cuda.empty_cache()
    return max(0, before - after)


def _calls(built: Program) -> list[Callable[[], object]]:
    """Return an update and an evaluation of as many examples as are evaluated at once."""
    run = built.run
    calls: list[Callable[[], object]] = [run.one_update()]
    parts = [rows[: run.eval_batch_size] for rows in run.task.val]
    if len(parts[0]):
        calls.append(lambda: predict(run.step.forward, run.task, parts, run.eval_batch_size))
    return calls
