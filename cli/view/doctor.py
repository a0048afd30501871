"""What `dlexp doctor` prints: each finding with its cure."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from ..text import escape

if TYPE_CHECKING:
    from dlexp.doctor import Finding


def show(findings: "list[Finding]", console: Console) -> None:
    """Print the findings, a row each."""
    table = Table(box=None, show_header=False, pad_edge=False)
    for finding in findings:
        color = "green" if finding["status"] == "ok" else "yellow"
        cure = "" if finding["cure"] is None else f"\n[yellow]{escape(finding['cure'])}[/]"
        table.add_row(f"[{color}]{finding['status']}[/]", escape(finding["name"]), escape(finding["value"]) + cure)
    console.print(table)
