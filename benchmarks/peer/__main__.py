"""dlexp beside other tools on the same work, whole processes: ``python -m benchmarks.peer`` (extra ``bench``).

Each round runs every alternative of a case once, in turn; a round that is done is in the record, so that the command,
ended, goes on where it was. CPU seconds are those of the process and of all that it started; they grow where neighbours
share the cores, for all alike. Writes ``benchmarks/results/peers.json`` and with ``--page`` the table of a page.
"""

import argparse
import importlib.util
import json
import statistics
import sys
from pathlib import Path
from typing import Any

from benchmarks.cost.process import adopt, measure
from benchmarks.measure import RESULTS, machine, replace_between

DLEXP = str(Path(sys.executable).parent / "dlexp")
NONE = "tracking=none"
RATES = "optimizer.lr=tag(log,interval(1e-3,1))"
SEARCH = [DLEXP, "sweep", RATES, "search=random", "trainer.device=cpu"]
NOTE = "cpu, wall: seconds of whole processes by round; rss: MiB of the largest process; case by alternative"


def script(name: str, *arguments: int) -> list[str]:
    """Return the command of a script of `benchmarks.peer`."""
    return [sys.executable, "-m", f"benchmarks.peer.{name}", *map(str, arguments)]


def train(epochs: int) -> dict[str, list[str]]:
    """Return the ways to train the default net."""
    return {
        "dlexp": [DLEXP, "train", f"trainer.epochs={epochs}", "trainer.device=cpu", NONE],
        "plain script": script("plain", epochs),
        "lightning": script("with_lightning", epochs),
    }


def search(trials: int, epochs: int) -> dict[str, list[str]]:
    """Return the ways to search a learning rate."""
    ours = [*SEARCH, f"search.trials={trials}", f"trainer.epochs={epochs}"]
    return {
        "dlexp": [*ours, NONE],
        "optuna": script("with_optuna", epochs, trials),
        "ray": script("with_ray", epochs, trials),
    }


CASES: dict[str, dict[str, list[str]]] = {
    "train, 30 epochs": train(30),
    "train, 300 epochs": train(300),
    "10 x 5 folds, 30 epochs": {
        "dlexp": [DLEXP, "cv", "cv.k=5", "cv.repeats=10", "trainer.epochs=30", "trainer.device=cpu", NONE],
        "skorch": script("with_skorch", 30),
        "sklearn": script("with_sklearn", 30),
    },
    "search of 32 trials, 30 epochs": search(32, 30),
    "search of 100 trials, 30 epochs": search(100, 30),
}
Row = dict[str, Any]


def is_installed(alternative: str) -> bool:
    """Whether the tool of an alternative is there."""
    return alternative not in ("lightning", "skorch", "optuna", "ray") or bool(importlib.util.find_spec(alternative))


def table(rows: list[Row]) -> str:
    """Return the record as a Markdown table, with what a further epoch of training costs."""
    lines = [
        "| work | tool | rounds | CPU s | wall s | MiB | CPU, dlexp / this |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for case in CASES:
        ours = _of(rows, case, "dlexp")
        for alternative in CASES[case]:
            theirs = _of(rows, case, alternative)
            if not theirs:
                continue
            cpu, wall, rss = (statistics.median(row[key] for row in theirs) for key in ("cpu", "wall", "rss"))
            ratio = statistics.median(a["cpu"] / b["cpu"] for a, b in zip(ours, theirs, strict=False))
            lines.append(
                f"| {case} | {alternative} | {len(theirs)} | {cpu:.1f} | {wall:.1f} | {rss:.0f} | {ratio:.2f} |"
            )
    for alternative in CASES["train, 30 epochs"]:
        short, long = (_of(rows, f"train, {epochs} epochs", alternative) for epochs in (30, 300))
        if short and long:
            each = [1000 * (b["cpu"] - a["cpu"]) / 270 for a, b in zip(short, long, strict=False)]
            lines.append(f"| a further epoch, ms | {alternative} | {len(each)} | {statistics.median(each):.1f} | | | |")
    return "\n".join(lines)


def _of(rows: list[Row], case: str, alternative: str) -> list[Row]:
    return [row for row in rows if (row["case"], row["alternative"]) == (case, alternative)]


def main() -> None:
    """Measure what is not in the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=list(CASES), action="append", help="some of the cases")
    parser.add_argument("--without", action="append", default=[], help="an alternative that is left out")
    parser.add_argument("--out", type=Path, default=RESULTS / "peers.json")
    parser.add_argument("--page", type=Path, help="write the table of the record into this page")
    arguments = parser.parse_args()
    adopt()
    rows: list[Row] = json.loads(arguments.out.read_text())["rows"] if arguments.out.is_file() else []
    for number in range(arguments.rounds):
        for case in arguments.only or CASES:
            for alternative, command in CASES[case].items():
                is_done = len(_of(rows, case, alternative)) > number
                if is_done or alternative in arguments.without or not is_installed(alternative):
                    continue
                rows.append({"case": case, "alternative": alternative, **measure(command)})
                print(rows[-1], flush=True)
                document = {"note": NOTE, "machine": machine(), "rows": rows}
                arguments.out.write_text(json.dumps(document, indent=1) + "\n")
    print(table(rows))
    if arguments.page:
        arguments.page.write_text(replace_between(arguments.page.read_text(), "peers", table(rows)))


if __name__ == "__main__":
    main()
