"""What `dlexp train --verify-trial` prints: the largest differences by engine, and the verdict."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from dlexp.number import noun

from ..text import escape

if TYPE_CHECKING:
    from dlexp.job.train.document import Verification

ALONE = {
    "solo": "its module",
    "batched": "batched, one trial",
    "vmapped": "vmapped, one trial",
    "graphed": "as a graph",
}


def show(verification: "Verification", console: Console) -> None:
    """Print the largest difference of each kind by engine, the verdict and its likely reasons."""
    table = Table(title="largest difference from what is stored", title_justify="left")
    table.add_column("")
    for engine in verification["differences"]:
        table.add_column(ALONE[engine], justify="right")
    for name in dict.fromkeys(name for differences in verification["differences"].values() for name in differences):
        table.add_row(name, *(_cell(differences.get(name)) for differences in verification["differences"].values()))
    console.print(table)
    verdict = "the same to the last bit" if verification["is_bitwise"] else "[yellow]not the same[/]"
    threads = "" if verification["threads"] is None else f", {noun(verification['threads'], 'thread')}"
    engine = f"engine {verification['engine']}{threads}, {noun(verification['epochs'] or 0, 'epoch')}"
    console.print(f"{verification['run_id']}  {engine}: {verdict}")
    for reason in verification["reasons"]:
        console.print(f"may be because {escape(reason)}")


def _cell(value: float | None) -> str:
    return "not comparable" if value is None else "0" if value == 0 else f"{value:.1e}"
