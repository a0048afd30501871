"""Which engine trains trials of one structure, and how many at once: measured on the device at hand.

The plan times an update alone and in stacks of growing size, takes the smallest stack within 5 % of the fastest, and
demands that it beat training one after another by 1.15; else the trials run alone. The answer is kept by structure
and device.
"""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from dlexp import device as devices
from dlexp.data.dataset import Dataset
from dlexp.durable import write_text
from dlexp.engine.memory import largest_stack, peak_bytes
from dlexp.engine.stack.fold import stack_kinds
from dlexp.job.assemble import assemble_group
from dlexp.job.structure import structure_key
from dlexp.random import derive

SIZES = (4, 16, 64)
MEMORY_SIZES = (2, 4)
TIMED_ROUNDS = 7
MIN_GAIN = 1.15
NEAR_BEST = 1.05
HOPELESS = 0.7

Config = dict[str, Any]


@dataclass(frozen=True)
class Choice:
    """How a group trains.

    Attributes:
        engine: "solo", "folded", "vmapped" or "graphed".
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


def choose(configs: list[Config], datasets: list[Dataset], cache: Path | None = None) -> Choice:
    """Decide how trials of one structure train.

    Args:
        configs: Checked configurations of equal structure.
        datasets: One for each.
        cache: File that keeps measured answers; None keeps none.
    """
    fuse = configs[0]["trainer"]["fuse"]
    if len(configs) == 1 or fuse == "off":
        return SOLO if len(configs) == 1 else Choice("solo", 1, 1.0, "trainer.fuse=off")
    alone = assemble_group(configs[:1], datasets[:1])
    kinds, reasons = stack_kinds(alone.model, alone.dataset.in_shape, alone.device)
    if not kinds:
        return Choice("solo", 1, 1.0, f"the model cannot be stacked: {reasons}")
    if configs[0]["trainer"]["compile"]:
        return Choice("solo", 1, 1.0, "trainer.compile=true compiles the model of one trial")
    limit = _fitting(configs, datasets, kinds[0])
    if fuse != "auto":
        return Choice(kinds[0], min(fuse, limit, len(configs)), 1.0, f"trainer.fuse={fuse}")
    key = f"{derive(0, structure_key(configs[0], datasets[0]))}:{alone.device_line}:{torch.__version__}"
    kept = _read(cache).get(key) if cache else None
    if kept is not None and kept["size"] <= limit:
        return Choice(**kept)
    found = _measure(configs, datasets, kinds, limit)
    if cache:
        write_text(cache, json.dumps({**_read(cache), key: asdict(found)}, indent=1))
    return found


def _measure(configs: list[Config], datasets: list[Dataset], kinds: list[str], limit: int) -> Choice:
    solo = _updater(configs[:1], datasets[:1], "solo")
    seconds: dict[str, float] = {}
    for kind in kinds:
        for size in sorted({min(size, limit, len(configs)) for size in SIZES} - {1}):
            stack = _updater(configs[:size], datasets[:size], kind)
            alone, together = _shortest([solo, stack])
            seconds["solo:1"] = min(alone, seconds.get("solo:1", alone))
            seconds[f"{kind}:{size}"] = together / size
            if alone / together * size < HOPELESS:
                break
    fastest = min(seconds.values())
    good = [name for name, value in seconds.items() if value <= NEAR_BEST * fastest]
    engine, _, size = min(good, key=lambda name: int(name.partition(":")[2])).partition(":")
    gain = seconds["solo:1"] / seconds[f"{engine}:{size}"]
    if engine == "solo" or gain < MIN_GAIN:
        best = seconds["solo:1"] / min(value for name, value in seconds.items() if name != "solo:1")
        return Choice("solo", 1, 1.0, f"stacked trials would train {best:.2f} times as fast", seconds)
    return Choice(engine, int(size), round(gain, 2), f"{gain:.1f} times as fast as one after another", seconds)


def _updater(configs: list[Config], datasets: list[Dataset], engine: str) -> Callable[[], None]:
    """Return a function that does one update and waits for it."""
    built = assemble_group(configs, datasets, engine)
    update = built.run.one_update()

    def call() -> None:
        update()
        if built.device.type == "cuda":
            torch.cuda.synchronize(built.device)

    return call


def _shortest(calls: list[Callable[[], None]]) -> list[float]:
    """Return the shortest seconds of each of some calls that take turns: what else runs can only lengthen them."""
    shortest = [float("inf")] * len(calls)
    for number in range(TIMED_ROUNDS + 2):
        for i, call in enumerate(calls):
            started = time.perf_counter()
            call()
            if number >= 2:  # the first ones make what is made once
                shortest[i] = min(shortest[i], time.perf_counter() - started)
    return shortest


def _fitting(configs: list[Config], datasets: list[Dataset], kind: str) -> int:
    """Return how many trials fit the device's free memory."""
    sizes = [size for size in MEMORY_SIZES if size <= len(configs)]
    if len(sizes) < 2:
        return len(configs)
    taken = []
    for size in sizes:
        built = assemble_group(configs[:size], datasets[:size], kind)
        step = built.run.step
        lasting = [step.forward.flat.tensor, step.forward.grads, *step.state.values()]
        held = sum(tensor.numel() * tensor.element_size() for tensor in lasting)
        taken.append((size, held + peak_bytes(built.run.one_update(), built.device)))
    device, _ = devices.choose(configs[0]["trainer"]["device"])
    return largest_stack(taken[0], taken[1], devices.free_bytes(device))


def _read(cache: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        return json.loads(cache.read_text())
    return {}
