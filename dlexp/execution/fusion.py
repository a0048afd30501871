"""Which engine trains trials of one structure, and how many at once: measured on the device at hand.

The plan times an update alone and in stacks of growing size, takes the smallest stack within 5 % of the fastest, what
an epoch costs a program whatever its size counted in, and demands that its updates beat training one after another by
1.15; else the trials run alone. It chooses only among forms that give the same bits, so that no number depends on a
stopwatch: those that equal each trial alone; where there are none, stacks of every size of one kind. The answer is kept
by structure and device, and in the folder of the sweep or cv, which goes on as it began. Trials become as many programs
as come nearest to that size, all alike: seven of 16 would be six of 16 and one of four.
"""

import gc
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
from dlexp.disk.durable import write_text
from dlexp.disk.regular import read_bytes
from dlexp.engine.stack.kind import obstacle, stack_kinds
from dlexp.engine.task import num_steps
from dlexp.error import first_line, is_broken_device, is_out_of_memory
from dlexp.execution.capacity import is_plenty, num_fitting
from dlexp.execution.exactness import equal_forms
from dlexp.number import noun
from dlexp.random import derive

SIZES = (4, 16, 64)
TIMED_ROUNDS = 7
ENOUGH_SECONDS = 1.0
MIN_GAIN = 1.15
NEAR_BEST = 1.05
EPOCH_SECONDS = 0.006  # of a program beside its updates: checkpoint, evaluation's and metrics' first trial
HOPELESS = 0.7
UNBEARABLE = 0.5  # gain below which a stack is left although its bits are its own


@dataclass(frozen=True)
class Choice:
    """How a group trains.

    Attributes:
        engine: "solo", "batched", "vmapped" or "graphed".
        size: Trials at once, at most.
        gain: Speed against one after another, 1 for solo.
        reason: For the user: why no stack is used, or what was measured.
        seconds: Seconds of an update for each trial, by engine and size, as far as timed.
        is_exact: False where time chose between forms that round otherwise.
        failures: Forms that failed when they were tried, and how; "" for none.
    """

    engine: str
    size: int
    gain: float
    reason: str
    seconds: dict[str, float] = field(default_factory=dict)
    is_exact: bool = True
    failures: str = ""


SOLO = Choice("solo", 1, 1.0, "one trial")


def choose(components: list[Components], cache: Path | None = None, record: Path | None = None) -> Choice:
    """Decide how trials of one structure train.

    Args:
        components: Of trials of equal structure.
        cache: File that keeps measured answers; None keeps none.
        record: File of a sweep or cv with what was chosen for it before, which stays; None keeps none.
    """
    if (chosen := recall(components, record)) is not None:
        return chosen
    choice = _choose_anew(components, cache)
    remember(components, record, choice)
    return choice


def recall(components: list[Components], record: Path | None) -> Choice | None:
    """Return what was chosen for a structure before, as far as there are trials; None where nothing was.

    Args:
        components: As of `choose`.
        record: As of `choose`.
    """
    if components[0].trainer.fuse != "auto":
        return None
    chosen = _read(record).get(str(derive(0, components[0].structure))) if record else None
    if chosen is None:
        return None
    choice = Choice(**chosen)
    return replace(choice, size=min(choice.size, len(components)))


def remember(components: list[Components], record: Path | None, choice: Choice) -> None:
    """Write down what was chosen for trials that leave it open.

    Args:
        components: As of `choose`.
        record: As of `choose`.
        choice: How they train.
    """
    if record and components[0].trainer.fuse == "auto" and len(components) > 1:
        structure = str(derive(0, components[0].structure))
        write_text(record, json.dumps({**_read(record), structure: asdict(choice)}, indent=1))


def _choose_anew(components: list[Components], cache: Path | None) -> Choice:
    trainer = components[0].trainer
    fuse = trainer.fuse
    if fuse == "off":
        return Choice("solo", 1, 1.0, "trainer.fuse=off")
    if len(components) == 1 and fuse == "auto":
        return SOLO
    alone = make_program(components[:1])
    if trainer.compile:
        return Choice("solo", 1, 1.0, "trainer.compile=true compiles the model of one trial")
    structure = str(derive(0, components[0].structure))
    key = ":".join([structure, _name(alone.device), torch.__version__])
    known = _read(cache).get(key, {}) if cache else {}
    if fuse == "auto" and "is_exact" in known and _is_borne(known["engine"], alone):
        choice = Choice(**known)
        limit = 1 if choice.engine == "solo" else _limit(alone, components, choice.engine)
        return replace(choice, size=even_size(choice.size, len(components), limit))
    kinds, reasons = stack_kinds(alone.model, alone.dataset.in_shape, alone.device)
    if not kinds:
        return Choice("solo", 1, 1.0, f"the model cannot be stacked: {reasons}")
    limit = _limit(alone, components, kinds[0])
    if fuse != "auto":
        return Choice(kinds[0], min(fuse, limit), 1.0, f"trainer.fuse={fuse}")
    choice = _measure(components, kinds, limit, cache, key)
    if choice.engine != "solo":
        choice = replace(choice, size=even_size(choice.size, len(components), limit))
    gc.collect()
    devices.hand_back()  # the forms that were tried: gigabytes of a VGG, which a sweep's first process would keep
    return choice


def even_size(size: int, num: int, limit: int) -> int:
    """Return the trials of a program, of which as many train as come nearest to a size, and none is left over.

    Args:
        size: Wished for, >= 1.
        num: Trials.
        limit: Of a program's trials.
    """
    num_programs = max(1, round(num / size))
    return max(1, min(limit, -(-num // num_programs)))


def _limit(alone: Program, components: list[Components], kind: str) -> int:
    """Return how many of the trials the memory has room for."""
    num = len(components)
    return num if is_plenty(alone, num) else min(num, num_fitting(components, kind))


def _is_borne(engine: str, alone: Program) -> bool:
    """Whether a model still bears the engine of a known answer: its code may have changed."""
    return engine == "solo" or obstacle(engine, alone.model, alone.dataset.in_shape, alone.device) is None


def _name(device: torch.device) -> str:
    """Return what timings depend on: the kind of GPU, or the number of CPU threads."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type}, {noun(torch.get_num_threads(), 'thread')}"


def _measure(components: list[Components], kinds: list[str], limit: int, cache: Path | None, key: str) -> Choice:
    """Time the forms of equal bits, and keep the answer under a key."""
    exact, row_equal = equal_forms(components, kinds)
    failures: dict[str, str] = {}
    choice = _fastest(
        components, exact or row_equal[:1] or kinds, limit, failures, stays_stacked=bool(row_equal) and not exact
    )
    if failures:
        choice = replace(choice, failures="; ".join(f"{kind}: {reason}" for kind, reason in failures.items()))
    if not exact and not (row_equal and choice.engine == row_equal[0]):
        choice = replace(choice, is_exact=False)
    if cache:
        write_text(cache, json.dumps({**_read(cache), key: asdict(choice)}, indent=1))
    return choice


def _fastest(
    components: list[Components], kinds: list[str], limit: int, failures: dict[str, str], *, stays_stacked: bool
) -> Choice:
    """Return the fastest of the kinds and solo.

    Args:
        components: Of the trials.
        kinds: Of stacks, to be timed.
        limit: Trials that fit the memory.
        failures: Gets what went wrong with a kind, whatever the others do.
        stays_stacked: Whether the stack's bits are its own, so that solo is taken only where a stack is hopeless.
    """
    if limit < 2:
        return Choice(kinds[0] if stays_stacked else "solo", 1, 1.0, "the memory has room for one trial at a time")
    solo = _updater(components[:1], "solo")
    seconds: dict[str, float] = {}
    for kind in kinds:
        for size in sorted({min(size, limit, len(components)) for size in SIZES}):
            timed = _time(solo, components[:size], kind)
            if isinstance(timed, str):
                failures |= {kind: timed} if timed else {}
                break
            alone, together = timed
            seconds["solo:1"] = min(alone, seconds.get("solo:1", alone))
            seconds[f"{kind}:{size}"] = together / size
            if alone / together * size < HOPELESS:
                break
    if not seconds:
        return Choice("solo", 1, 1.0, "no stack could be timed" if failures else "stacked trials run out of memory")
    epoch_share = EPOCH_SECONDS / num_steps(len(components[0].data.train), components[0].trainer)
    return best_of(seconds, UNBEARABLE if stays_stacked else MIN_GAIN, epoch_share)


def best_of(seconds: dict[str, float], min_gain: float, epoch_share: float = 0.0) -> Choice:
    """Return the smallest stack within 5 % of the fastest; solo where no stack has the gain that is demanded.

    Args:
        seconds: Of an update for each trial, by engine and size, "solo:1" among them.
        min_gain: Of a stack's updates against solo.
        epoch_share: Seconds of an update's share in what an epoch costs a program whatever its size.
    """
    stacks = {name: value for name, value in seconds.items() if name != "solo:1"}
    whole = {name: value + epoch_share / int(name.partition(":")[2]) for name, value in stacks.items()}
    good = [name for name, value in whole.items() if value <= NEAR_BEST * min(whole.values())]
    engine, _, size = min(good, key=lambda name: int(name.partition(":")[2])).partition(":")
    gain = seconds["solo:1"] / seconds[f"{engine}:{size}"]
    if gain < min_gain:
        best = seconds["solo:1"] / min(stacks.values())
        return Choice("solo", 1, 1.0, f"stacked trials would train {best:.2f} times as fast", seconds)
    return Choice(engine, int(size), round(gain, 2), f"{gain:.1f} times as fast as one after another", seconds)


def _time(solo: Callable[[], None], components: list[Components], kind: str) -> tuple[float, float] | str:
    """Return the seconds of an update alone and of one together; why not where a form fails, "" for lack of memory.

    The prediction does not know of all memory: graphs keep their own.
    """
    try:
        alone, together = shortest([solo, _updater(components, kind)])
    except (RuntimeError, MemoryError) as error:
        if is_broken_device(error):
            raise
        return "" if is_out_of_memory(error) else f"{type(error).__name__}: {first_line(error)}"
    return alone, together


def _updater(components: list[Components], engine: str) -> Callable[[], None]:
    """Return a function that does one update and waits for it; what it takes to build it has ended."""
    built = make_program(components, engine)
    update = built.run.one_update()
    devices.synchronize(built.device)

    def call() -> None:
        update()
        devices.synchronize(built.device)

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


def _read(cache: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        return json.loads(read_bytes(cache))
    return {}
