"""Every claim of the literature that dlexp re-runs, with its negative control: ``python -m benchmarks.page.reproduce``.

A claim that is in the record is not run again, so that the command, ended, goes on where it was. Writes
``benchmarks/results/reproduce.json`` and with ``--page`` the table of a page.
"""

import argparse
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.measure import RESULTS, machine, replace_between
from dlexp.claim import recipe
from dlexp.claim.reproduce import reproduce
from dlexp.number import noun

NOTE = "mean and 95 % interval of each claim's statistic; control: the same under the swap; seconds of wall time"


def table(document: dict[str, Any]) -> str:
    """Return the record as a Markdown table, with the date and the versions of its last row."""
    rows, made = document["rows"], document["machine"]
    lines = [
        "| claim | expected | seen, 95 % interval | verdict | under the swap | s |",
        "|---|---:|---:|---|---|---:|",
    ]
    for row in rows:
        claim, control = row["claim"], row["control"]
        low, high = claim["interval"]
        seen = f"{claim['mean']:.3g}" if low == high else f"{claim['mean']:.3g} ({low:.3g} to {high:.3g})"
        expected = _range(*claim["expected"])
        text = f"**{claim['name']}**: {claim['claim']} *{claim['source']}.* Measured: {claim['statistic']}."
        text += f" {claim['naive']}" if "naive" in claim else ""
        swap = f"{control['verdict']} ({control['mean']:.3g}): {control['control']}"
        lines.append(f"| {text} | {expected} | {seen} | {claim['verdict']} | {swap} | {claim['seconds']:.0f} |")
    seconds = sum(row["claim"]["seconds"] for row in rows)
    count = sum(row["claim"]["verdict"] == "holds" for row in rows)
    blind = sum(row["control"]["verdict"] == "holds" for row in rows)
    lines += [
        "",
        f"{count} of {len(rows)} hold, {blind} hold under their swap; {seconds:.0f} s without the swaps.",
        f"{made['date']}, dlexp {made['dlexp']}, torch {made['torch']}, Python {made['python']}, "
        f"{noun(made['cores'], 'core')} ({made['cpu']}).",
    ]
    return "\n".join(lines)


def _range(low: float, high: float | None) -> str:
    if high is None or high == float("inf"):
        return f"at least {low:g}"
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def main() -> None:
    """Run what is not in the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", help="some of the claims, anew")
    parser.add_argument("--out", type=Path, default=RESULTS / "reproduce.json")
    parser.add_argument("--page", type=Path, help="write the table of the record into this page")
    arguments = parser.parse_args()
    rows = (
        {row["claim"]["name"]: row for row in json.loads(arguments.out.read_text())["rows"]}
        if arguments.out.is_file()
        else {}
    )
    for name in arguments.only or recipe.names():
        if name in rows and not arguments.only:
            continue
        claim, control = next(reproduce([name])), next(reproduce([name], is_control=True))
        rows[name] = {"claim": claim, "control": control}
        print(
            name,
            claim["verdict"],
            f"{claim['mean']:.4g}",
            "control:",
            control["verdict"],
            f"{control['mean']:.4g}",
            flush=True,
        )
        ordered = [rows[each] for each in recipe.names() if each in rows]
        document = {"note": NOTE, "machine": machine() | {"dlexp": version("dlexp")}, "rows": ordered}
        arguments.out.write_text(json.dumps(document, indent=1) + "\n")
    text = table(json.loads(arguments.out.read_text()))
    print(text)
    if arguments.page:
        arguments.page.write_text(replace_between(arguments.page.read_text(), "claims", text))


if __name__ == "__main__":
    main()
