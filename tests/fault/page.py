"""Writes `docs/reliability.md` from the record of full runs."""

import re
from typing import Any

from dlexp.disk.durable import write_text
from tests.fault import record
from tests.fault.catalogue import CHAPTERS, rows, rows_of
from tests.fault.mutate import MUTATIONS
from tests.fault.promise import Row
from tests.fault.runner import ROOT

PATH = ROOT / "docs" / "reliability.md"
HEAD = """# Reliability

What dlexp survives, how that was tried, and how often. Each row is a promise. An attempt makes the fault on a real
command and checks the promise afterwards; *equal* means equal bits. A few attempts of most rows are in the test suite.
Attempts draw no figures, except where real processes are started.
"""
HOW = """## How to repeat it

```text
python -m tests.fault --full
python -m tests.fault --full --row train-killed --anew --n 200
python -m tests.fault --row train-killed --seed 7 --n 10
python -m tests.fault --mutate
```

The first makes every attempt that is not recorded yet and writes this page; the last breaks the program in a copy, one
safeguard at a time, and exits 1 unless the rows that watch it fail. Draws of attempt i follow from seed, row and i.
An attempt is hung after seconds of computing and waiting; those in the queue for a CPU do not count. One that a busy
machine kept from running is neither held nor failed, and is told as not possible.
A fault is made from outside, or by Python's audit events in the process that is attacked (`tests/fault/hook.py`): the
program has no hook for it.
"""
REASONS: dict[str, str] = {}  # why a row is red, by what was seen since


def write() -> None:
    """Write the page."""
    write_text(PATH, text(record.everything()))


def text(entries: dict[str, Any]) -> str:
    """Return the page.

    Args:
        entries: See `tests.fault.record.everything`.
    """
    chapters = [_chapter(title, rows_of(name), entries) for name, title in CHAPTERS.items()]
    return "\n".join([HEAD, _sum(entries), _versions(entries), *chapters, *_red(entries), _safeguards(), HOW])


def _sum(entries: dict[str, Any]) -> str:
    held = sum(entries[row.id]["tally"]["held"] for row in rows() if row.id in entries)
    made = sum(entries[row.id]["tally"]["made"] for row in rows() if row.id in entries)
    red = [row.id for row in rows() if row.id in entries and _num_failed(entries[row.id]["tally"])]
    missing = [row.id for row in rows() if row.id not in entries]
    lines = [f"**{held:,} of {made:,} attempts held, in {len(rows())} rows.**"]
    lines += [f"Red: {', '.join(red)}; the reasons stand [below](#what-does-not-hold)."] if red else []
    lines += [f"Not run yet: {', '.join(missing)}."] if missing else []
    return " ".join(lines) + "\n"


def _versions(entries: dict[str, Any]) -> str:
    """Return with what the rows were run; the commit, which differs, stands in each row."""
    told = [entries[row.id]["versions"] for row in rows() if row.id in entries]
    names = [name for name in (told[0] if told else {}) if name not in ("commit", "system")]
    with_each = [f"{name} {', '.join(sorted({versions[name] for versions in told}))}" for name in names]
    commits = "A row was run on the commit that it names, or was continued from one to another."
    return f"Versions: {'; '.join(with_each)}. {commits}\n"


def _safeguards() -> str:
    """Return which row fails without which safeguard."""
    lines = [f"| {mutation.without} | `{mutation.row}` | `{mutation.name}` |" for mutation in MUTATIONS]
    head = (
        "`python -m tests.fault --mutate` takes out one safeguard at a time, in a copy; the row that watches it fails."
    )
    return "\n".join(["## The rows can fail", "", head, "", "| without | fails | name |", "|---|---|---|", *lines, ""])


def _num_failed(tally: dict[str, Any]) -> int:
    return tally["attempts"] - tally["impossible"] - tally["passed"]


def _chapter(title: str, members: list[Row], entries: dict[str, Any]) -> str:
    lines = [
        f"## {title}",
        "",
        "| row | promise | how it is attacked | held | seed | commit, date |",
        "|---|---|---|---|---|---|",
    ]
    lines += [_line(row, entries.get(row.id)) for row in members]
    return "\n".join(lines) + "\n"


def _line(row: Row, entry: dict[str, Any] | None) -> str:
    if entry is None:
        return f"| `{row.id}` | {row.promise} | {row.fault} | not run | | |"
    tally = entry["tally"]
    held = f"{tally['held']:,} of {tally['made']:,}"
    held = f"**{held}**" if _num_failed(tally) else held
    missing = (row.full - tally["impossible"]) * row.each - tally["made"]
    held += f" ({missing:,} not made yet)" if missing > 0 else ""
    held += f", {tally['impossible'] * row.each:,} not possible" if tally["impossible"] else ""
    return (
        f"| `{row.id}` | {row.promise} | {row.fault} | {held} | {tally['seed']} | "
        f"{entry['versions']['commit']}, {entry['date']} |"
    )


def _red(entries: dict[str, Any]) -> list[str]:
    red = [row for row in rows() if row.id in entries and _num_failed(entries[row.id]["tally"])]
    if not red:
        return []
    lines = ["## What does not hold", ""]
    for row in red:
        faults = entries[row.id]["tally"]["faults"]
        lines += [
            f"`{row.id}`, {len(faults)} shown: {REASONS.get(row.id, 'not explained.')}",
            "",
            *(f"    {_in_the_runs_folder(fault)[:300]}" for fault in faults[:5]),
            "",
        ]
    return ["\n".join(lines)]


def _in_the_runs_folder(fault: str) -> str:
    """Return a fault in one line, its paths without the temporary folder of the attempt."""
    return re.sub(r"/\S*/runs/", "runs/", " ".join(fault.split()))
