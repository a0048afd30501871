"""Which engine trains trials of one structure, and how many at once: measured on the device at hand.

The plan times an update alone and in stacks of growing size, takes the smallest stack within 5 % of the fastest, and
demands that it beat training one after another by 1.15; else the trials run alone. The answer is kept by structure
and device.
"""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from dlexp import device as devices
from dlexp.build.components import Components
from dlexp.build.program import Program, make_program
from dlexp.durable import write_text
from dlexp.engine.memory import guess_bytes, largest_stack, peak_bytes
from dlexp.engine.stack.kind import stack_kinds
from dlexp.error import is_out_of_memory
from dlexp.random import derive

SIZES = (4, 16, 64)
MEMORY_SIZES = (2, 4)
TIMED_ROUNDS = 7
ENOUGH_SECONDS = 1.0
MIN_GAIN = 1.15
NEAR_BEST = 1.05
HOPELESS = 0.7


@dataclass(frozen=True)
class Choice:
    """How a group trains.

    Attributes:
        engine: "solo", "batched", "vmapped" or "graphed".
        size: Trials at once, at most.
        gain: Speed against one after another, 1 for solo.
        reason: For the user: why no stack is used, or what was measured.
        seconds: Seconds of an update for each trial, by engine and size, as far as timed.
    """

    engine: str
    size: int
    gain: float
    reason: str
    seconds: dict[str, float] = field(default_factory=dict)


SOLO = Choice("solo", 1, 1.0, "one trial")


def choose(components: list[Components], cache: Path | None = None) -> Choice:
    """Decide how trials of one structure train.

    Args:
        components: Of trials of equal structure.
        cache: File that keeps measured answers; None keeps none.
    """
    trainer = components[0].trainer
    fuse = trainer.fuse
    if fuse == "off":
        return Choice("solo", 1, 1.0, "trainer.fuse=off")
    structure = str(derive(0, components[0].structure))
    measured = _read(cache) if cache else {}
    if len(components) == 1 and fuse == "auto" and not any(name.startswith(structure) for name in measured):
        return SOLO
    alone = make_program(components[:1])
    if trainer.compile:
        return Choice("solo", 1, 1.0, "trainer.compile=true compiles the model of one trial")
    kinds, reasons = stack_kinds(alone.model, alone.dataset.in_shape, alone.device)
    if not kinds:
        return Choice("solo", 1, 1.0, f"the model cannot be stacked: {reasons}")
    limit = len(components) if _is_plenty(alone, len(components)) else _fitting(components, kinds[0])
    limit = min(limit, len(components))
    if fuse != "auto":
        return Choice(kinds[0], min(fuse, limit), 1.0, f"trainer.fuse={fuse}")
    key = ":".join([structure, _name(alone.device), torch.__version__])
    if key in measured and measured[key]["engine"] in (
        "solo",
        *kinds,
    ):  # also for the few that a kill left over: another engine may round otherwise
        choice = Choice(**measured[key])
        return replace(choice, size=min(choice.size, limit))
    return SOLO if len(components) == 1 else _measure(components, kinds, limit, cache, key)


def _name(device: torch.device) -> str:
    """Return what timings depend on: the kind of GPU, or the number of CPU threads."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type}, {torch.get_num_threads()} thread(s)"


def _measure(components: list[Components], kinds: list[str], limit: int, cache: Path | None, key: str) -> Choice:
    """Time solo and stacks, and keep the answer under a key."""
    choice = _fastest(components, kinds, limit)
    if cache:
        write_text(cache, json.dumps({**_read(cache), key: asdict(choice)}, indent=1))
    return choice


def _fastest(components: list[Components], kinds: list[str], limit: int) -> Choice:
    if limit < 2:
        return Choice("solo", 1, 1.0, "the memory has room for one trial at a time")
    solo = _updater(components[:1], "solo")
    seconds: dict[str, float] = {}
    for kind in kinds:
        for size in sorted({min(size, limit, len(components)) for size in SIZES}):
            timed = _time(solo, components[:size], kind)
            if timed is None:
                break
            alone, together = timed
            seconds["solo:1"] = min(alone, seconds.get("solo:1", alone))
            seconds[f"{kind}:{size}"] = together / size
            if alone / together * size < HOPELESS:
                break
    if not seconds:
        return Choice("solo", 1, 1.0, "stacked trials run out of memory")
    fastest = min(seconds.values())
    good = [name for name, value in seconds.items() if value <= NEAR_BEST * fastest]
    engine, _, size = min(good, key=lambda name: int(name.partition(":")[2])).partition(":")
    gain = seconds["solo:1"] / seconds[f"{engine}:{size}"]
    if engine == "solo" or gain < MIN_GAIN:
        best = seconds["solo:1"] / min(value for name, value in seconds.items() if name != "solo:1")
        return Choice("solo", 1, 1.0, f"stacked trials would train {best:.2f} times as fast", seconds)
    return Choice(engine, int(size), round(gain, 2), f"{gain:.1f} times as fast as one after another", seconds)


def _time(solo: Callable[[], None], components: list[Components], kind: str) -> tuple[float, float] | None:
    """Return the seconds of an update alone and of one together; None when memory runs out.

    The prediction does not know of all memory: graphs keep their own.
    """
    try:
        alone, together = shortest([solo, _updater(components, kind)])
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return None
    return alone, together


def _updater(components: list[Components], engine: str) -> Callable[[], None]:
    """Return a function that does one update and waits for it."""
    built = make_program(components, engine)
    update = built.run.one_update()

    def call() -> None:
        update()
        if built.device.type == "cuda":
            torch.cuda.synchronize(built.device)

    return call


def shortest(calls: list[Callable[[], None]]) -> list[float]:
    """Return the shortest seconds of each of some calls that take turns: what else runs can only lengthen them.

    A turn begins with a call that is not timed: the one before left its own data in the cache. After three turns it
    suffices to have spent a second.
    """
    best = [float("inf")] * len(calls)
    began = time.perf_counter()
    for turn in range(TIMED_ROUNDS):
        for i, call in enumerate(calls):
            for repeat in range(3):
                started = time.perf_counter()
                call()
                if repeat:
                    best[i] = min(best[i], time.perf_counter() - started)
        if turn >= 2 and time.perf_counter() - began > ENOUGH_SECONDS:
            break
    return best


def _is_plenty(alone: Program, num_trials: int) -> bool:
    """Whether all trials fit ten times over by a generous guess; on CUDA it costs nothing to know."""
    if alone.device.type != "cpu":
        return False
    each = guess_bytes(alone.model, alone.dataset.in_shape, alone.run.trainer.batch_size)
    return each * num_trials < 0.1 * devices.free_bytes(alone.device)


def _fitting(components: list[Components], kind: str) -> int:
    """Return how many trials fit the device's free memory."""
    sizes = [size for size in MEMORY_SIZES if size <= len(components)]
    if len(sizes) < 2:
        return len(components)
    taken = []
    for size in sizes:
        built = make_program(components[:size], kind)
        step = built.run.step
        lasting = [step.forward.flat.tensor, step.forward.grads, *step.state.values()]
        held = sum(tensor.numel() * tensor.element_size() for tensor in lasting)
        taken.append((size, held + peak_bytes(built.run.one_update(), built.device)))
    device, _ = devices.choose(components[0].trainer.device)
    return largest_stack(taken[0], taken[1], devices.free_bytes(device))


def _read(cache: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        return json.loads(cache.read_text())
    return {}
