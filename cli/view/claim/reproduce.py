"""What `dlexp reproduce` prints: claims, what was seen, and the verdict."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from dlexp.number import noun

from ...text import escape, short_path
from .. import fit

if TYPE_CHECKING:
    from dlexp.claim.document import ClaimRecord, JudgedClaim

COLORS = {"holds": "green", "does not hold": "red", "cannot tell": "yellow"}


def show_list(claims: "Sequence[ClaimRecord]", console: Console) -> None:
    """Print the names and sentences of all claims."""
    table = Table(box=None, pad_edge=False)
    table.add_column("name", no_wrap=True)
    table.add_column("claim")
    for claim in claims:
        table.add_row(escape(claim["name"]), escape(claim["claim"]))
    console.print(table)
    console.print("dlexp reproduce NAME re-runs one, --all every one", soft_wrap=True)


def show(claim: "JudgedClaim", console: Console) -> None:
    """Print one claim that was re-run."""
    low, high = claim["interval"]
    console.print(f"[bold]{escape(claim['name'])}[/]  {escape(claim['claim'])}", soft_wrap=True)
    lines = {
        "source": claim["source"],
        "control": claim.get("control"),
        "measured": claim["statistic"],
        "expected": _range(claim["expected"]),
        "seen": f"{claim['mean']:.4g}, 95 % interval {low:.4g} to {high:.4g} over {noun(claim['seeds'], 'seed')}",
        "naive": claim.get("naive"),
    }
    if claim["seeds"] == 1:
        lines["seen"] = f"{claim['mean']:.4g}"
    for label, text in lines.items():
        if text:
            console.print(f"  {label:9} {escape(text)}", soft_wrap=True)
    for command in claim["commands"]:
        console.print(f"  {'command':9} {escape(command)}", soft_wrap=True)
    color = COLORS[claim["verdict"]]
    console.print(f"  {'verdict':9} [{color}]{claim['verdict']}[/], {claim['seconds']:.1f} s")
    if "figure" in claim:
        console.print(f"  {'figure':9} {escape(short_path(claim['figure']))}", soft_wrap=True)


def show_table(claims: "Sequence[JudgedClaim]", console: Console) -> None:
    """Print the verdicts of several claims."""
    table = Table(box=None, pad_edge=False)
    table.add_column("claim")
    table.add_column("verdict")
    for header in ("seen", "from", "to", "expected", "s"):
        table.add_column(header, justify="right")
    for claim in claims:
        seen = (f"{number:.4g}" for number in (claim["mean"], *claim["interval"]))
        color = COLORS[claim["verdict"]]
        verdict, seconds = f"[{color}]{claim['verdict']}[/]", f"{claim['seconds']:.1f}"
        table.add_row(escape(claim["name"]), verdict, *seen, _range(claim["expected"]), seconds)
    fit.show_table(table, console, ("s", "from", "to", "expected"), shortened="claim")
    counts = {verdict: sum(claim["verdict"] == verdict for claim in claims) for verdict in COLORS}
    console.print(", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count))


def _range(expected: Sequence[float]) -> str:
    low, high = expected
    if high == float("inf"):
        return f">= {low:g}"
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"
