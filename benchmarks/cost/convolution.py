"""What convolutions reach on a CPU beside plain matrix products; ``python -m benchmarks.cost.convolution``.

Two one-thread workers against a plain loop of two threads. Each form is processes that begin to count together. An
update's operations are three times those of the forward pass's convolutions and matrix products (forward, to the input,
to the weights), a multiplication and an addition each. The roofline is what products of 1024 x 1024 matrices reach in
as many processes and threads. Writes ``benchmarks/results/convolution.json``; ``--page`` writes the table of a page.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import fuse
from benchmarks.measure import replace_between, write
from dlexp import device as devices

NETS = ("cnn 3 stages 28x28", "resnet-20 32x32")
PRODUCT = 1024
SECONDS = 3.0
PLAIN = "plain loop, two threads"
ROUNDS = 3
PASSES = 3  # forward, to the input, to the weights
NOTE = (
    "us: microseconds of an update for each trial; gflops: convolutions and matrix products of all processes together, "
    "a second; medians of rounds in which the forms took turns"
)


@dataclass(frozen=True)
class Form:
    """How a net is trained: processes of so many threads, by the plain loop or by ours, with one choice undone."""

    processes: int
    threads: int
    kind: str
    without: str = ""


FORMS = {
    "plain loop, one thread": Form(1, 1, "plain"),
    PLAIN: Form(1, 2, "plain"),
    "two plain loops, one thread each": Form(2, 1, "plain"),
    "dlexp, two workers": Form(2, 1, "ours"),
    "dlexp, two workers, channels outermost": Form(2, 1, "ours", "channels_last"),
    "dlexp, two workers, glibc's allocator": Form(2, 1, "ours", "kept memory"),
    "dlexp, two workers, without oneDNN": Form(2, 1, "ours", "oneDNN"),
    "matrix products, two threads": Form(1, 2, "product"),
    "matrix products, two workers": Form(2, 1, "product"),
}


def operations(name: str) -> int:
    """Return the additions and multiplications of an update's convolutions and matrix products."""
    built = fuse.group(fuse.CASES[name], 1, "solo")
    x = torch.zeros(built.run.trainer.batch_size, *built.dataset.in_shape)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        built.model.eval()(x)
    return PASSES * counter.get_total_flops()


def update_of(name: str, form: Form) -> Callable[[], object]:
    """Return one update of a net, or a product of matrices, in this process."""
    if form.kind == "plain" or form.without == "kept memory":
        devices.keep_freed_memory = lambda: False  # type: ignore[assignment] # the allocator as it comes
    if form.without == "oneDNN":
        torch.backends.mkldnn.set_flags(False)
    if form.kind == "product":
        a, b = torch.rand(PRODUCT, PRODUCT), torch.rand(PRODUCT, PRODUCT)
        out = torch.empty(PRODUCT, PRODUCT)
        return lambda: torch.mm(a, b, out=out)
    extra = ["trainer.channels_last=false"] if form.without == "channels_last" else []
    overrides = [*fuse.CASES[name], *extra]
    update = fuse.by_hand(overrides) if form.kind == "plain" else fuse.group(overrides, 1, "solo").run.one_update()
    torch.set_num_threads(form.threads)
    return update


def work(name: str, form: Form) -> None:
    """Print that the first updates are done; when told to, count, and print the median seconds of an update."""
    torch.set_num_threads(form.threads)
    update = update_of(name, form)
    for _ in range(3):
        update()
    print("ready", flush=True)
    sys.stdin.readline()
    taken, until = [], time.perf_counter() + SECONDS
    while time.perf_counter() < until or len(taken) < 5:
        started = time.perf_counter()
        update()
        taken.append(time.perf_counter() - started)
    print(statistics.median(taken), flush=True)


def seconds(name: str, label: str) -> float:
    """Return the seconds of an update for each of a form's processes, which count at once, over their number."""
    command = [sys.executable, "-m", "benchmarks.cost.convolution", "--work", name, label]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(FORMS[label].processes)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    return statistics.mean(float(process.communicate("go\n")[0]) for process in processes) / len(processes)


def measure(rounds: int) -> list[dict[str, Any]]:
    """Return a row for each net and form."""
    products = {label: form for label, form in FORMS.items() if form.kind == "product"}
    cases = [(name, label) for name in NETS for label in FORMS if label not in products]
    cases += [("matrices", label) for label in products]
    taken: dict[tuple[str, str], list[float]] = {case: [] for case in cases}
    for _ in range(rounds):
        for case in cases:
            taken[case].append(seconds(*case))
            print(*case, f"{1e6 * taken[case][-1]:.0f} us", flush=True)
    work_of = {name: operations(name) for name in NETS} | {"matrices": 2 * PRODUCT**3}
    rows = []
    for (name, label), values in taken.items():
        plain = taken.get((name, PLAIN), values)
        rows.append(
            {
                "net": name,
                "form": label,
                "us": round(1e6 * statistics.median(values), 1),
                "gflops": round(work_of[name] / statistics.median(values) / 1e9, 1),
                "against_plain_loop": round(statistics.median(a / b for a, b in zip(plain, values, strict=True)), 2),
            }
        )
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    """Return the record as a Markdown table."""
    best = max(row["gflops"] for row in rows if row["net"] == "matrices")
    lines = [
        "| net | form | µs of an update | against the plain loop of two threads | GFLOP/s | of matrix products |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for row in rows:
        gain = "" if row["net"] == "matrices" else f"{row['against_plain_loop']:.2f}"
        share = f"{100 * row['gflops'] / best:.0f} %"
        lines.append(f"| {row['net']} | {row['form']} | {row['us']:,.0f} | {gain} | {row['gflops']:.0f} | {share} |")
    return "\n".join(lines)


def main() -> None:
    """Measure and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--work", nargs=2, metavar=("NET", "FORM"), help="what the processes do")
    parser.add_argument("--page", type=Path, help="write the table of the record into this page")
    arguments = parser.parse_args()
    if arguments.work:
        name, label = arguments.work
        work(name, FORMS[label])
        return
    rows = measure(arguments.rounds)
    print(write("convolution", rows, NOTE))
    print(table(rows))
    if arguments.page:
        arguments.page.write_text(replace_between(arguments.page.read_text(), "convolution", table(rows)))


if __name__ == "__main__":
    main()
