"""What `dlexp doctor` prints: each finding with its cure."""

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table


def show(findings: list[dict[str, Any]], console: Console) -> None:
    """Print the findings, a row each."""
    table = Table(box=None, show_header=False, pad_edge=False)
    for finding in findings:
        color = "green" if finding["status"] == "ok" else "yellow"
        cure = "" if finding["cure"] is None else f"\n[yellow]{escape(finding['cure'])}[/]"
        table.add_row(f"[{color}]{finding['status']}[/]", escape(finding["name"]), escape(finding["value"]) + cure)
    console.print(table)
