"""Measure a CUDA device: ``python -m benchmarks.gpu`` (25 minutes at most; ended, it goes on where it was).

Runs the tests that need a card, times every form of a program against a loop written by hand, compares every form with
each trial alone, counts what the host waits for, profiles an update, predicts memory, runs out of it, feeds data and
shares the card between workers. Writes ``benchmarks/results/gpu.json`` row by row; ``--merge FILE`` takes the rows of
another record, ``--page docs/benchmarks.md`` writes the tables there; neither needs a card. ``--share 0/4``
measures every fourth row only: four processes together do what is not timed, each into a record of its own (``--out``).
Without a card it says so, exit 1.
"""

import argparse
import sys
from pathlib import Path

import torch

from benchmarks.gpu import command, convolution, equal, host, memory, speed, table
from benchmarks.gpu.record import Record, merge, read, write
from benchmarks.measure import RESULTS, replace_between

SECTIONS = {
    "speed": (list(speed.CASES), speed.measure),
    "convolutions": (list(convolution.CASES), convolution.measure),
    "tests": (["marked gpu"], command.tests),
    "equality": (list(equal.cases()), equal.measure),
    table.WAITS: (list(equal.cases()), host.waits),
    "the first process of a sweep": (["keeps off the card"], host.parent),
    "profile of an update": (list(command.PROFILED), command.profile),
    "memory": (["mlp 784-256-256-10", "cnn 3 stages 28x28"], memory.predict),
    "running out of memory": ([memory.LADDER], memory.ladder),
    "data": (["on the card", "from memory"], command.data),
    "eight trials on one card": (list(command.WORKERS), command.workers),
}


def main() -> int:
    """Measure what is not in the record; 1 without a card, or where something failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=25.0, help="after which no further row is begun")
    parser.add_argument("--only", choices=list(SECTIONS), action="append", help="some of the sections")
    parser.add_argument("--out", type=Path, default=RESULTS / "gpu.json")
    parser.add_argument("--share", default="0/1", help="I/N: the Ith of every N rows, from 0")
    parser.add_argument("--merge", type=Path, nargs="+", help="only take the rows of other records into the record")
    parser.add_argument("--page", type=Path, help="only write the tables of the record into this page")
    arguments = parser.parse_args()
    if arguments.merge or arguments.page:
        document = read(arguments.out)
        for path in arguments.merge or []:
            merge(document, read(path))
        write(document, arguments.out)
        if arguments.page:
            text = arguments.page.read_text()
            arguments.page.write_text(replace_between(text, "gpu", table.tables(document)))
        return 0
    if not torch.cuda.is_available():
        print("benchmarks.gpu needs a CUDA device; torch sees none", file=sys.stderr)
        return 1
    torch.set_num_threads(1)
    record = Record(arguments.out, arguments.minutes)
    first, step = map(int, arguments.share.split("/"))
    for section in arguments.only or SECTIONS:
        names, measure = SECTIONS[section]
        record.fill(section, names[first::step], measure)
    print(f"{len(record.rows)} rows in {arguments.out}")
    return 1 if any(row.get("failed") or row.get("failures") for row in record.rows) else 0


if __name__ == "__main__":
    sys.exit(main())
