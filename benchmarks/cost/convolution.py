"""What convolutions reach on a CPU beside plain matrix products; ``python -m benchmarks.cost.convolution``.

Two one-thread workers against a plain loop of two threads. Each form is processes that begin to count together. An
update's operations are three times those of the forward pass's convolutions and matrix products (forward, to the input,
to the weights), a multiplication and an addition each; "its convolutions alone" leaves out all between them. The
roofline is what products of 1024 x 1024 matrices reach in as many processes and threads. On a machine that does
something else besides, ``--cpu`` counts CPU seconds of one process of each form of one thread. Writes
``benchmarks/results/convolution.json``; ``--page`` writes the table of a page.
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
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import fuse
from benchmarks.measure import replace_between, write
from dlexp import device as devices

NETS = ("cnn 3 stages 28x28", "resnet-20 32x32")
PRODUCT = 1024
SECONDS = 3.0
PLAIN, ONE = "plain loop, two threads", "plain loop, one thread"
ROUNDS = 3
PASSES = 3  # forward, to the input, to the weights
NOTE = (
    "us: microseconds of an update for each trial; gflops: convolutions and matrix products of all processes together, "
    "a second; medians of rounds in which the forms took turns"
)
CPU_NOTE = (
    "us: CPU microseconds of an update in one thread; gflops: convolutions and matrix products in a CPU second; "
    "medians of rounds in which the forms took turns"
)


@dataclass(frozen=True)
class Form:
    """How a net is trained: processes of so many threads, by the plain loop or by ours, with one choice undone."""

    processes: int
    threads: int
    kind: str
    without: str = ""


FORMS = {
    ONE: Form(1, 1, "plain"),
    PLAIN: Form(1, 2, "plain"),
    "two plain loops, one thread each": Form(2, 1, "plain"),
    "dlexp, two workers": Form(2, 1, "ours"),
    "dlexp, two workers, channels outermost": Form(2, 1, "ours", "channels_last"),
    "dlexp, two workers, glibc's allocator": Form(2, 1, "ours", "kept memory"),
    "dlexp, two workers, without oneDNN": Form(2, 1, "ours", "oneDNN"),
    "its convolutions alone, two workers": Form(2, 1, "convolutions"),
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
        devices.keep_freed_memory = lambda: False  # type: ignore[assignment]  # the allocator as it comes
    if form.without == "oneDNN":
        torch.backends.mkldnn.set_flags(False)
    if form.kind == "product":
        a, b = torch.rand(PRODUCT, PRODUCT), torch.rand(PRODUCT, PRODUCT)
        out = torch.empty(PRODUCT, PRODUCT)
        return lambda: torch.mm(a, b, out=out)
    if form.kind == "convolutions":
        torch.set_num_threads(form.threads)
        return convolutions_of(name)
    extra = ["trainer.channels_last=false"] if form.without == "channels_last" else []
    overrides = [*fuse.CASES[name], *extra]
    update = fuse.by_hand(overrides) if form.kind == "plain" else fuse.group(overrides, 1, "solo").run.one_update()
    torch.set_num_threads(form.threads)
    return update


def convolutions_of(name: str) -> Callable[[], object]:
    """Return the convolutions of an update, forwards and backwards, with the inputs that they have there."""
    built = fuse.group(fuse.CASES[name], 1, "solo")
    calls: list[tuple[nn.Module, Tensor, Tensor]] = []

    def note(layer: nn.Module, given: tuple[Tensor], y: Tensor) -> None:
        x = given[0].detach().requires_grad_(given[0].requires_grad)
        calls.append((layer, x, torch.randn_like(y)))

    handles = [m.register_forward_hook(note) for m in built.model.modules() if isinstance(m, nn.Conv2d)]
    built.run.one_update()()
    for handle in handles:
        handle.remove()

    def update() -> None:
        for layer, x, by_y in calls:
            wanted = [x, *layer.parameters()] if x.requires_grad else list(layer.parameters())
            torch.autograd.grad(layer(x), wanted, by_y)

    return update


def work(name: str, form: Form, clock: Callable[[], float]) -> None:
    """Print that the first updates are done; when told to, count, and print the median seconds of an update."""
    torch.set_num_threads(form.threads)
    update = update_of(name, form)
    for _ in range(3):
        update()
    print("ready", flush=True)
    sys.stdin.readline()
    taken, until = [], time.perf_counter() + SECONDS
    while time.perf_counter() < until or len(taken) < 5:
        started = clock()
        update()
        taken.append(clock() - started)
    print(statistics.median(taken), flush=True)


def seconds(name: str, label: str, is_cpu: bool) -> float:
    """Return the seconds of an update for each of a form's processes, which count at once, over their number."""
    command = [sys.executable, "-m", "benchmarks.cost.convolution", "--work", name, label]
    if is_cpu:
        return float(subprocess.check_output([*command, "--cpu"], input="go\n", text=True).split()[-1])
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(FORMS[label].processes)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    return statistics.mean(float(process.communicate("go\n")[0]) for process in processes) / len(processes)


def forms(is_cpu: bool) -> dict[str, Form]:
    """Return the forms that are measured: by CPU seconds one of those that differ in nothing but processes."""
    if not is_cpu:
        return FORMS
    alone = {label: form for label, form in FORMS.items() if form.threads == 1}
    return {label: form for label, form in alone.items() if (form.kind, form.processes) != ("plain", 2)}


def measure(rounds: int, is_cpu: bool) -> list[dict[str, Any]]:
    """Return a row for each net and form."""
    chosen = forms(is_cpu)
    products = [label for label, form in chosen.items() if form.kind == "product"]
    cases = [(name, label) for name in NETS for label in chosen if label not in products]
    cases += [("matrices", label) for label in products]
    taken: dict[tuple[str, str], list[float]] = {case: [] for case in cases}
    for _ in range(rounds):
        for case in cases:
            taken[case].append(seconds(*case, is_cpu))
            print(*case, f"{1e6 * taken[case][-1]:.0f} us", flush=True)
    work_of = {name: operations(name) for name in NETS} | {"matrices": 2 * PRODUCT**3}
    rows = []
    for (name, label), values in taken.items():
        plain = taken.get((name, ONE if is_cpu else PLAIN), values)
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


def table(rows: list[dict[str, Any]], is_cpu: bool) -> str:
    """Return the record as a Markdown table."""
    threads, rate = ("one thread", "GFLOP a CPU second") if is_cpu else ("two threads", "GFLOP/s")
    best = max(row["gflops"] for row in rows if row["net"] == "matrices")
    lines = [
        f"| net | form | µs of an update | against the plain loop of {threads} | {rate} | of matrix products |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for row in rows:
        gain = "" if row["net"] == "matrices" else f"{row['against_plain_loop']:.2f}"
        share = f"{100 * row['gflops'] / best:.0f} %"
        form = row["form"].replace(", two workers", "").replace(", one thread", "") if is_cpu else row["form"]
        lines.append(f"| {row['net']} | {form} | {row['us']:,.0f} | {gain} | {row['gflops']:.0f} | {share} |")
    return "\n".join(lines)


def main() -> None:
    """Measure and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--cpu", action="store_true", help="count CPU seconds of one thread")
    parser.add_argument("--work", nargs=2, metavar=("NET", "FORM"), help="what the processes do")
    parser.add_argument("--page", type=Path, help="write the table of the record into this page")
    arguments = parser.parse_args()
    if arguments.work:
        name, label = arguments.work
        work(name, FORMS[label], time.process_time if arguments.cpu else time.perf_counter)
        return
    rows = measure(arguments.rounds, arguments.cpu)
    print(write("convolution", rows, CPU_NOTE if arguments.cpu else NOTE))
    print(table(rows, arguments.cpu))
    if arguments.page:
        arguments.page.write_text(
            replace_between(arguments.page.read_text(), "convolution", table(rows, arguments.cpu))
        )


if __name__ == "__main__":
    main()
