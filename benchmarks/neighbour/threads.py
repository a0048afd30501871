"""Whether `trainer.threads=auto` takes the better count: on an idle machine, beside one and beside four busy processes.

``python -m benchmarks.neighbour.threads`` times, for each net and number of neighbours (processes that spin), in
`ROUNDS` rounds: what the choice takes and what it is, then updates with one thread and with torch's choice in turns.
The ratio is the seconds of an update with the chosen count over those with the better one.
``benchmarks/results/threads.json`` also has the load of the machine before the neighbours came: above 0.3 the rows
without neighbours are not those of an idle machine.
"""

import multiprocessing
import os
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from benchmarks import measure
from dlexp import device
from dlexp.build.program import assemble
from dlexp.config.resolve import resolve
from dlexp.execution.threads import time_threads

COMMON = ["tracking=none", "trainer.device=cpu", "data.limit=400"]
NETS = {
    "cnn 8x8": ["model=cnn"],
    "cnn 8x8, 64-128-256": ["model=cnn", "model.channels=[64,128,256]"],
    "resnet-20 8x8": ["model=resnet", "model.depth=20"],
}
NEIGHBOURS = (0, 1, 4)
ROUNDS, TURNS, SECONDS = 3, 3, 0.25  # of each count in a turn


def spin() -> None:
    """Keep a core busy."""
    while True:
        pass


@contextmanager
def beside(num: int) -> Iterator[None]:
    """Have processes that spin beside this one."""
    others = [multiprocessing.get_context("spawn").Process(target=spin, daemon=True) for _ in range(num)]
    for other in others:
        other.start()
    time.sleep(2 if others else 0)  # until they have started
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.join()


def one_round(overrides: list[str]) -> dict[str, Any]:
    """Return what the choice took and was, and the seconds of an update with either count."""
    torch.set_num_threads(device.TORCH_THREADS)
    run = assemble(resolve([*COMMON, *overrides]).config).run
    began = time.perf_counter()
    chosen = time_threads(run, device.TORCH_THREADS).threads
    took, update = time.perf_counter() - began, run.one_update()
    spent: dict[int, list[float]] = {1: [], device.TORCH_THREADS: []}
    for _ in range(TURNS):
        for count, seconds in spent.items():
            torch.set_num_threads(count)
            update()
            seconds.append(_mean(update))
    means = {count: statistics.mean(seconds) for count, seconds in spent.items()}
    return {"chosen": chosen, "choosing": took, "means": means, "ratio": means[chosen] / min(means.values())}


def _mean(update: Any) -> float:
    began, num = time.perf_counter(), 0
    while (passed := time.perf_counter() - began) < SECONDS:
        update()
        num += 1
    return passed / num


def main() -> None:
    """Measure every net beside every number of neighbours; write the record."""
    load = os.getloadavg()[0]
    rows = []
    for num in NEIGHBOURS:
        with beside(num):
            for name, overrides in NETS.items():
                rounds = [one_round(overrides) for _ in range(ROUNDS)]
                row = {
                    "net": name,
                    "neighbours": num,
                    "load_before": round(load, 2),
                    "chosen": [each["chosen"] for each in rounds],
                    **{
                        f"ms_with_{count}": round(1e3 * statistics.median(each["means"][count] for each in rounds), 2)
                        for count in (1, device.TORCH_THREADS)
                    },
                    "ratio": round(statistics.median(each["ratio"] for each in rounds), 3),
                    "worst_ratio": round(max(each["ratio"] for each in rounds), 3),
                    "choosing_ms": round(1e3 * statistics.median(each["choosing"] for each in rounds)),
                }
                print(row, flush=True)
                rows.append(row)
    note = "ms of an update by threads; ratio of the chosen count to the better one; load before the neighbours came"
    measure.write("threads", rows, note)


if __name__ == "__main__":
    measure.command_line(__doc__).parse_args()
    main()
