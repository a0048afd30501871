"""How costs grow: sweeps of 10 to 10,000 trials, listings of as many runs; ``python -m benchmarks.cost.growth``.

Whole processes, CPU seconds: trials of one update on a tiny net, so that what is left is bookkeeping. What is flat or n
log n has, beyond start-up, a tenfold cost for tenfold work; what is quadratic a hundredfold. A size that the record has
whole is not measured again, so that the command, ended, goes on with the size at which it was. Writes
``benchmarks/results/growth.json``; ``--page`` writes the table of a page and ``--figure`` draws it.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.bookkeeping import copy_of
from benchmarks.cost.process import adopt, measure
from benchmarks.measure import RESULTS, machine, replace_between

SIZES = (10, 100, 1000, 10_000)
DLEXP = str(Path(sys.executable).parent / "dlexp")
TINY = [
    "data=digits",
    "data.limit=64",
    "model.widths=[8]",
    "trainer.epochs=1",
    "trainer.device=cpu",
    "trainer.threads=1",
]
SWEEP = ["sweep", *TINY, "optimizer.lr=tag(log,interval(1e-4,1))", "search=random", "launcher.workers=1"]
STRATEGIES = ("random", "hyperband", "coarse_to_fine", "tpe")
NOTE = (
    "cpu, wall: seconds of whole processes; rss: MiB of the largest; runs: sweeps or copies of a training in one "
    "folder. Strategies: seconds from the first question to the last answer, four dimensions, no training."
)
Row = dict[str, Any]


def of_a_sweep(size: int, place: Path) -> dict[str, list[str]]:
    """Return commands about one sweep, in the order in which they have to run."""
    here = f"runs_dir={place}"
    sweep = [DLEXP, *SWEEP, f"search.trials={size}", here]
    folder = ["--runs-dir", str(place)]
    return {
        "sweep": [*sweep, "tracking=none"],
        "the same sweep again": [*sweep, "tracking=none"],
        "show": [DLEXP, "show", "last", *folder],
        "compare two settings": [DLEXP, "compare", "last:1", "last:2", *folder],
        "report": [DLEXP, "report", "last", "--out", str(place / "page.html"), *folder],
        "sync to MLflow": [DLEXP, "sync", "last", *folder],
    }


def of_runs(place: Path, first: str, last: str) -> dict[str, list[str]]:
    """Return commands about many runs in a folder."""
    folder = ["--runs-dir", str(place)]
    return {
        "runs": [DLEXP, "runs", *folder],
        "compare two runs": [DLEXP, "compare", first, last, *folder],
    }


def measure_size(size: int, place: Path) -> Iterator[Row]:
    """Yield what each work takes at one size; each command finds what those before it made."""
    sweeps, runs = place / f"sweep-{size}", place / f"runs-{size}"
    yield from timed(size, of_a_sweep(size, sweeps))
    run, *copies = sorted(path.parent for path in runs.glob("*/*/result.json")) or [_train(runs)]
    copies += [copy_of(run) for _ in range(size - 1 - len(copies))]
    yield from timed(size, of_runs(runs, run.name, copies[-1].name))
    module = [sys.executable, "-m", "benchmarks.cost.growth", "--propose"]
    yield from timed(size, {f"{name} proposes": [*module, name, str(size)] for name in STRATEGIES})


def _train(runs: Path) -> Path:
    """Train a run; return its folder."""
    subprocess.run([DLEXP, "train", *TINY, "tracking=none", "--quiet", f"runs_dir={runs}"], check=True)
    (result,) = runs.glob("*/*/result.json")
    return result.parent


def timed(size: int, commands: dict[str, list[str]]) -> Iterator[Row]:
    """Yield the row of each command."""
    for work, command in commands.items():
        yield {"work": work, "size": size, **measure(command)}


def propose(strategy: str, size: int) -> None:
    """Have a strategy propose so many settings of four dimensions; the best lie in one corner."""
    from dlexp.config.dimension import Dimension
    from dlexp.search.coarse_to_fine import CoarseToFine
    from dlexp.search.hyperband import Hyperband
    from dlexp.search.random import Random
    from dlexp.search.strategy import Problem, Strategy
    from dlexp.search.tpe import TPE

    kinds: dict[str, Callable[..., Any]] = {
        "random": Random,
        "hyperband": Hyperband,
        "coarse_to_fine": CoarseToFine,
        "tpe": TPE,
    }
    dimensions = [
        Dimension("lr", "", low=1e-4, high=1.0, is_log=True),
        Dimension("momentum", "", low=0.0, high=1.0),
        Dimension("width", "", low=8, high=512, is_int=True, is_log=True),
        Dimension("layers", "", values=[1, 2, 3, 4]),
    ]
    search = Strategy(kinds[strategy](trials=size).propose(Problem(dimensions, 16)))
    while (round_ := search.ask()) is not None:
        search.tell([p.settings["momentum"] - p.settings["lr"] - p.settings["layers"] / 10 for p in round_.proposals])


def each(rows: list[Row], work: str) -> dict[int, Row]:
    """Return the rows of a work by size."""
    return {row["size"]: row for row in rows if row["work"] == work}


def table(rows: list[Row]) -> str:
    """Return the record as a Markdown table, with the cost of one more trial or run between the two largest sizes."""
    lines = [
        "| work | " + " | ".join(f"{size:,}" for size in SIZES) + " | one more, ms | MiB at the largest |",
        "|---|" + "---:|" * (len(SIZES) + 2),
    ]
    for work in dict.fromkeys(row["work"] for row in rows):
        by_size = each(rows, work)
        before, last = sorted(by_size)[-2:]
        slope = max(0.0, 1000 * (by_size[last]["cpu"] - by_size[before]["cpu"]) / (last - before))
        cells = [f"{by_size[size]['cpu']:.1f}" if size in by_size else "" for size in SIZES]
        lines.append(f"| {work} | {' | '.join(cells)} | {slope:.2f} | {by_size[last]['rss']} |")
    return "\n".join(lines)


def draw(rows: list[Row], path: Path) -> None:
    """Draw CPU seconds of whole processes by size, commands and strategies apart."""
    from dlexp.figure.style.canvas import add_legend, panels, save, styled

    works = list(dict.fromkeys(row["work"] for row in rows))
    strategies = [work for work in works if work.endswith("proposes")]
    with styled():
        figure, axes = panels(2, height=2.9)
        for axis, chosen in zip(axes, ([work for work in works if work not in strategies], strategies), strict=True):
            for work in chosen:
                by_size = each(rows, work)
                line = "--" if work in strategies else "-"
                cpu = [by_size[size]["cpu"] for size in sorted(by_size)]
                color = f"C{works.index(work) % 10}"
                axis.loglog(sorted(by_size), cpu, marker="o", linestyle=line, color=color, label=work)
            axis.loglog(SIZES, [size / 1000 for size in SIZES], color="0.6", linestyle=":", label="1 ms each")
            axis.set_xlabel("trials or runs")
            axis.set_ylabel("CPU seconds")
        add_legend(figure, is_below=True)
        save(figure, path)


def main() -> None:
    """Measure the sizes that are not in the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--out", type=Path, default=RESULTS / "growth.json")
    parser.add_argument("--page", type=Path, help="write the table of the record into this page")
    parser.add_argument("--figure", type=Path, help="draw the record")
    parser.add_argument("--propose", nargs=2, metavar=("STRATEGY", "SIZE"), help="what the processes of strategies do")
    arguments = parser.parse_args()
    if arguments.propose:
        propose(arguments.propose[0], int(arguments.propose[1]))
        return
    adopt()
    rows: list[Row] = json.loads(arguments.out.read_text())["rows"] if arguments.out.is_file() else []
    for size in arguments.sizes:
        if f"{STRATEGIES[-1]} proposes" in {row["work"] for row in rows if row["size"] == size}:
            continue
        rows = [row for row in rows if row["size"] != size]
        with tempfile.TemporaryDirectory(prefix="dlexp-growth-") as place:
            for row in measure_size(size, Path(place)):
                print(row, flush=True)
                rows.append(row)
                arguments.out.write_text(json.dumps({"note": NOTE, "rows": rows}, indent=1) + "\n")
    # at the end: torch, which it asks, would count as memory of the processes that are forked from this one
    arguments.out.write_text(json.dumps({"note": NOTE, "machine": machine(), "rows": rows}, indent=1) + "\n")
    print(table(rows))
    if arguments.page:
        arguments.page.write_text(replace_between(arguments.page.read_text(), "growth", table(rows)))
    if arguments.figure:
        draw(rows, arguments.figure)


if __name__ == "__main__":
    main()
