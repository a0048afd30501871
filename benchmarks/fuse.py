"""Trials trained as one program against trials one after another: seconds of an update for each trial, and memory.

References in the same run: (a) our own solo updates, (b) a plain loop of torch modules with torch.optim, (c) two
processes of one thread each, training solo at once. Ratios are reference / fused: above 1, fused is faster.
`python -m benchmarks.fuse [--quick]`; on a GPU the same command measures there.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from benchmarks.measure import write
from dlexp.engine.memory import peak_bytes
from dlexp.engine.stack.fold import stack_kinds
from dlexp.job.assemble import assemble_group
from dlexp.job.component import load_data
from dlexp.job.config import resolve
from dlexp.job.fuse import choose

VECTORS = ["data=fake", "data.shape=[784]", "data.num_train=2048", "data.num_val=128"]
CASES: dict[str, list[str]] = {
    "mlp 64-32-10": ["model.widths=[32]"],
    "mlp 64-16-16-10": ["model.widths=[16,16]"],
    "mlp 64-64-64-10": ["model.widths=[64,64]"],
    "mlp 784-256-256-10": [*VECTORS, "model.widths=[256,256]"],
    "cnn 3 stages 28x28": ["data=fake", "data.shape=[1,28,28]", "data.num_train=1024", "data.num_val=64", "model=cnn"],
    "resnet-20 32x32": [
        "data=fake",
        "data.shape=[3,32,32]",
        "data.num_train=512",
        "data.num_val=64",
        "model=resnet",
        "model.depth=20",
    ],
}
SIZES = (1, 8, 32, 128)
ROUNDS = 7
SLOW = 0.5  # seconds of an update beyond which a stack is not measured further
PREDICTED = {
    "mlp 64-32-10": "10 at T = 32: dispatch is shared, arithmetic is nothing",
    "mlp 64-16-16-10": "4 to 10 at T = 16 and more, as measured before for this size",
    "mlp 64-64-64-10": "2 to 5",
    "mlp 784-256-256-10": "0.8 to 1.2: bound by arithmetic",
    "cnn 3 stages 28x28": "0.5 and less: grouped convolutions on CPU",
    "resnet-20 32x32": "0.5 and less, as above",
}


def group(overrides: list[str], trials: int, engine: str) -> Any:
    """Return a program of trials that differ in seed and learning rate."""
    common = ["tracking=none", "trainer.threads=1", *overrides]
    made = [resolve([*common, f"seed={i}", f"optimizer.lr={0.01 * (1 + i % 7)}"]).config for i in range(trials)]
    return assemble_group(made, [load_data(made[0])] * trials, engine)


def by_hand(overrides: list[str]) -> Callable[[], None]:
    """Return one update of the loop that a careful user would write."""
    built = group(overrides, 1, "solo")
    model = built.model
    for parameter in model.parameters():
        parameter.data, parameter.grad = parameter.detach().clone(), None
    optimizer, criterion = torch.optim.SGD(model.parameters(), lr=0.01), nn.CrossEntropyLoss()
    rows = built.dataset.train[: built.run.trainer.batch_size]
    ((x, y),) = built.run.task.feed.batches([rows])
    x = built.run.task.prepare(x).contiguous()

    def call() -> None:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()

    return call


def shortest(calls: dict[str, Callable[[], None]]) -> dict[str, float]:
    """Return the median seconds of each call; they take turns."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(ROUNDS + 2):
        for name, call in calls.items():
            started = time.perf_counter()
            call()
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            if number >= 2:
                taken[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in taken.items()}


def two_processes(name: str) -> float:
    """Return the seconds of a solo update for each trial when two processes of one thread train at once."""
    command = [sys.executable, "-m", "benchmarks.fuse", "--worker", name]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    return statistics.mean(float(worker.communicate()[0].split()[-1]) for worker in workers) / 2


def work(name: str) -> None:
    """Print the median seconds of a solo update, measured for at least three seconds."""
    torch.set_num_threads(1)
    update = group(CASES[name], 1, "solo").run.one_update()
    taken, until = [], time.perf_counter() + 3
    while time.perf_counter() < until or len(taken) < 5:
        started = time.perf_counter()
        update()
        taken.append(time.perf_counter() - started)
    print(statistics.median(taken))


def measure(name: str, sizes: tuple[int, ...]) -> list[dict[str, Any]]:
    """Return a row for each form of stack and size."""
    overrides = CASES[name]
    solo = group(overrides, 1, "solo")
    kinds, _ = stack_kinds(solo.model, solo.dataset.in_shape)
    processes = two_processes(name)
    rows = []
    for kind in kinds:
        for size in sizes:
            built = group(overrides, size, kind)
            update = built.run.one_update()
            found = shortest({"fused": update, "solo": solo.run.one_update(), "hand": by_hand(overrides)})
            each = found["fused"] / size
            rows.append(
                {
                    "case": name,
                    "engine": kind,
                    "trials": size,
                    "us_per_trial": round(each * 1e6, 1),
                    "against_solo": round(found["solo"] / each, 2),
                    "against_hand": round(found["hand"] / each, 2),
                    "against_two_processes": round(processes / each, 2),
                    "peak_mib": round(peak_bytes(update, built.device) / 2**20, 2),
                }
            )
            print(rows[-1], flush=True)
            if found["fused"] > SLOW:
                break
    return rows


def auto(name: str) -> dict[str, Any]:
    """Return what `trainer.fuse=auto` chooses for 32 trials."""
    common = ["tracking=none", "trainer.threads=1", *CASES[name]]
    made = [resolve([*common, f"seed={i}"]).config for i in range(32)]
    chosen = choose(made, [load_data(made[0])] * 32)
    return {"case": name, "auto": f"{chosen.engine}:{chosen.size}", "gain": chosen.gain, "predicted": PREDICTED[name]}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true", help="only T = 8")
    arguments = parser.parse_args()
    if arguments.worker:
        work(arguments.worker)
        return 0
    torch.set_num_threads(1)
    rows: list[dict[str, Any]] = []
    for name in CASES:
        rows += measure(name, (8,) if arguments.quick else SIZES)
        rows.append(auto(name))
        print(rows[-1], flush=True)
    print(
        write(
            "fuse",
            rows,
            "ratios are reference / fused per trial, medians of interleaved rounds; above 1: fused is faster",
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
