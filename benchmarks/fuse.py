"""Trials trained as one program against trials one after another: seconds of an update for each trial, and memory.

References in the same run: (a) our own solo updates, (b) a plain loop of torch modules with torch.optim, (c) two
processes of one thread each, training solo at once. Ratios are reference / fused: above 1, fused is faster. For
convolutions also what they gain on a CPU instead: two one-thread workers against the plain loop as torch comes, with
contiguous images, glibc's defaults and all threads. `python -m benchmarks.fuse [--quick] [--page docs/benchmarks.md]`;
a GPU is measured alike.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from benchmarks.measure import replace_between, write
from dlexp import device as devices
from dlexp.build.components import components_of
from dlexp.build.dataset import load_data
from dlexp.build.program import make_program
from dlexp.config.resolve import resolve
from dlexp.engine.memory import peak_bytes
from dlexp.engine.stack.kind import stack_kinds
from dlexp.execution.fusion import HOPELESS, MIN_GAIN, choose
from dlexp.model.layer import PooledStage

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
SIZES = (1, 4, 8, 16, 32, 128)  # those that auto times among them
SHOWN = (8, 32, 128)  # on a page
NEAR = 0.85  # of the best measured: the spread of two measurements
NOTE = "ratios are reference / fused per trial, medians of turns; above 1: fused is faster"
ROUNDS = 5
ROUND_SECONDS = 0.05  # of timed calls in a turn, at least one
SLOW = 2.0  # seconds of an update beyond which a stack is not measured further
WORKER_SECONDS = 3.0
WORKER_ROUNDS = 3
PREDICTED = {
    "mlp 64-32-10": "10 at T = 32",
    "mlp 64-16-16-10": "at least 4 at T = 16",
    "mlp 64-64-64-10": "at least 2",
    "mlp 784-256-256-10": "0.8 to 1.2",
    "cnn 3 stages 28x28": "0.5 and less; two workers 1.5 times a plain loop",
    "resnet-20 32x32": "0.5 and less; two workers 1.5 times a plain loop",
}
LIMITS = {
    "mlp 64-32-10": "dispatch, shared by all trials",
    "mlp 64-16-16-10": "dispatch, shared by all trials",
    "mlp 64-64-64-10": "dispatch up to T = 32, then batched products",
    "mlp 784-256-256-10": "half of it arithmetic, which a stack cannot share; the rest memory traffic of T copies",
    "cnn 3 stages 28x28": "arithmetic: convolutions run trial by trial in either case",
    "resnet-20 32x32": "arithmetic: convolutions run trial by trial in either case",
}


def group(overrides: list[str], trials: int, engine: str) -> Any:
    """Return a program of trials that differ in seed and learning rate."""
    common = ["tracking=none", "trainer.threads=1", *overrides]
    made = [resolve([*common, f"seed={i}", f"optimizer.lr={0.01 * (1 + i % 7)}"]).config for i in range(trials)]
    return make_program(components_of(made, [load_data(made[0])] * trials), engine)


def by_hand(overrides: list[str]) -> Callable[[], None]:
    """Return one update of the loop that a careful user would write."""
    built = group(overrides, 1, "solo")
    model = built.model
    for parameter in model.parameters():
        parameter.data, parameter.grad = parameter.detach().clone(memory_format=torch.contiguous_format), None
    for stage in model.modules():
        if isinstance(stage, PooledStage):
            stage.forward = partial(nn.Sequential.forward, stage)  # layers in the order that a user would write
    optimizer, criterion = torch.optim.SGD(model.parameters(), lr=0.01), nn.CrossEntropyLoss()
    rows = built.dataset.train[: built.run.trainer.batch_size]
    ((x, y),) = built.run.task.feed.batches([rows])
    x = built.run.task.prepare(x).contiguous()

    def call() -> None:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()

    return call


def medians(calls: dict[str, Callable[[], None]]) -> dict[str, float]:
    """Return the median seconds of each call; they take turns, each first to bring its own data into the cache."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(ROUNDS + 1):
        for name, call in calls.items():
            call()
            until = time.perf_counter() + ROUND_SECONDS
            while True:
                _wait()
                started = time.perf_counter()
                call()
                _wait()
                if turn:  # the first makes what is made once
                    taken[name].append(time.perf_counter() - started)
                if time.perf_counter() > until:
                    break
    return {name: statistics.median(values) for name, values in taken.items()}


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def in_processes(name: str, kind: str, number: int) -> float:
    """Return the seconds of an update for each trial when some processes train at once, one trial after another.

    Args:
        name: The case.
        kind: "worker" or "plain".
        number: Processes.
    """
    command = [sys.executable, "-m", "benchmarks.fuse", f"--{kind}", name]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(number)]
    return statistics.mean(float(process.communicate()[0].split()[-1]) for process in processes) / number


def work(update: Callable[[], None]) -> None:
    """Print the median seconds of an update."""
    taken, until = [], time.perf_counter() + WORKER_SECONDS
    while time.perf_counter() < until or len(taken) < 5:
        started = time.perf_counter()
        update()
        taken.append(time.perf_counter() - started)
    print(statistics.median(taken))


def plain(name: str) -> Callable[[], None]:
    """Return the plain loop's update as torch comes: its own threads, glibc's allocator untouched."""
    threads = torch.get_num_threads()
    devices.keep_freed_memory = lambda: False  # type: ignore[assignment]  # the allocator as it comes
    update = by_hand(CASES[name])
    torch.set_num_threads(threads)
    return update


def measure(name: str, sizes: tuple[int, ...]) -> list[dict[str, Any]]:
    """Return a row for each form of stack and size."""
    overrides = CASES[name]
    solo = group(overrides, 1, "solo")
    kinds, _ = stack_kinds(solo.model, solo.dataset.in_shape, solo.device)
    processes = in_processes(name, "worker", 2)
    rows = []
    for kind in kinds:
        for size in sizes:
            built = group(overrides, size, kind)
            update = built.run.one_update()
            times = medians({"fused": update, "solo": solo.run.one_update(), "hand": by_hand(overrides)})
            each = times["fused"] / size
            rows.append(
                {
                    "case": name,
                    "engine": kind,
                    "trials": size,
                    "us_per_trial": round(each * 1e6, 1),
                    "against_solo": round(times["solo"] / each, 2),
                    "against_hand": round(times["hand"] / each, 2),
                    "against_two_processes": round(processes / each, 2),
                    "peak_mib": round(peak_bytes(update, built.device) / 2**20, 2),
                }
            )
            print(rows[-1], flush=True)
            if times["fused"] > SLOW or (size > 1 and rows[-1]["against_solo"] < HOPELESS):
                break
    return rows


def auto(name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what `trainer.fuse=auto` chooses for 32 trials, and whether the rows bear it out."""
    common = ["tracking=none", "trainer.threads=1", *CASES[name]]
    made = [resolve([*common, f"seed={i}"]).config for i in range(32)]
    chosen = choose(components_of(made, [load_data(made[0])] * 32))
    best = max(row["against_solo"] for row in rows if row["trials"] <= 32)
    same = [row["against_solo"] for row in rows if (row["engine"], row["trials"]) == (chosen.engine, chosen.size)]
    picked = same[0] if same else 1.0  # solo
    return {
        "case": name,
        "auto": f"{chosen.engine}:{chosen.size}",
        "gain": chosen.gain,
        "best_measured": best,
        "is_right": picked >= 0.95 and (picked >= NEAR * best or best < MIN_GAIN / NEAR),
        "predicted": PREDICTED[name],
        "limit": LIMITS[name],
    }


def workers(name: str, rounds: int) -> dict[str, Any]:
    """Return what convolutions gain on a CPU from one-thread workers, channels_last and the kept memory."""
    pairs = [(in_processes(name, "plain", 1), in_processes(name, "worker", 2)) for _ in range(rounds)]
    plain_us, ours_us = (statistics.median(pair[i] for pair in pairs) * 1e6 for i in (0, 1))
    return {
        "case": name,
        "us_plain_loop": round(plain_us, 1),
        "us_two_workers": round(ours_us, 1),
        "workers_against_plain_loop": round(statistics.median(a / b for a, b in pairs), 2),
        "threads_of_plain_loop": torch.get_num_threads(),
    }


def table(rows: list[dict[str, Any]]) -> str:
    """Return the record as a Markdown table: of each size the faster form, and what `auto` takes of all."""
    lines = [
        "| network, batch 32 | stack | µs | against solo | against a plain loop | against two processes | auto takes |",
        "|---|---|---:|---:|---:|---:|---|",
    ]
    for name in CASES:
        of_case = [row for row in rows if row["case"] == name]
        (chosen,) = [row["auto"] for row in of_case if "auto" in row]
        engine, _, number = chosen.partition(":")
        taken = "one after another" if engine == "solo" else f"{engine} {number}"
        for size in SHOWN:
            forms = [row for row in of_case if row.get("trials") == size]
            if forms:
                row = min(forms, key=lambda form: form["us_per_trial"])
                ratios = [f"{row[f'against_{other}']:.2f}" for other in ("solo", "hand", "two_processes")]
                cells = [name, f"{row['engine']} {size}", f"{row['us_per_trial']:,.0f}", *ratios, taken]
                lines.append(f"| {' | '.join(cells)} |")
                taken = ""
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--plain", help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true", help="only T = 8; writes nothing")
    parser.add_argument("--page", type=Path, help="write the table of the record into this page")
    arguments = parser.parse_args()
    if arguments.plain:
        work(plain(arguments.plain))
        return 0
    entries: list[dict[str, Any]] = []
    if not arguments.worker and not torch.cuda.is_available():  # first: they tell of torch's own threads
        for name in [name for name in CASES if "mlp" not in name]:
            entries.append(workers(name, 1 if arguments.quick else WORKER_ROUNDS))
            print(entries[-1], flush=True)
    torch.set_num_threads(1)
    if arguments.worker:
        work(group(CASES[arguments.worker], 1, "solo").run.one_update())
        return 0
    for name in CASES:
        rows = measure(name, (8,) if arguments.quick else SIZES)
        entries += [*rows, auto(name, rows)]
        print(entries[-1], flush=True)
    if not arguments.quick:
        print(write("fuse", entries, NOTE))
    if arguments.page:
        arguments.page.write_text(replace_between(arguments.page.read_text(), "fuse", table(entries)))
    return 0 if all(row.get("is_right", True) for row in entries) else 1


if __name__ == "__main__":
    sys.exit(main())
