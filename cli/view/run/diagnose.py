"""What `dlexp diagnose` prints: the layers, and what is wrong, the first cause first."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from dlexp.diagnose.document import reading
from dlexp.number import noun, significant

from ...text import escape, short_path
from ..fit import show_table

if TYPE_CHECKING:
    from dlexp.diagnose.document import Diagnosis, Finding, LayerRecord


def show(diagnosis: "Diagnosis", console: Console) -> None:
    """Print a diagnosis."""
    whose = "" if diagnosis["run_id"] is None else f"run     {diagnosis['run_id']}, {diagnosis['status']}"
    if whose:
        console.print(whose)
    show_table(_table(diagnosis["layers"]), console, ("units", "mean", "update"), shortened="layer")
    first, last, constant = (significant(diagnosis[key]) for key in ("first_loss", "last_loss", "constant"))
    until = "the last epoch" if diagnosis["status"] else f"{noun(diagnosis['updates'], 'update')} in memory"
    console.print(f"loss    {first} at first, {last} after {until}; a constant prediction has {constant}")
    findings = [finding for finding in diagnosis["findings"] if finding["is_finding"]]
    for finding in findings[:1]:
        _show(finding, "[red]finding[/]", console)
    for finding in findings[1:]:
        console.print(f"        beside it {finding['rule']}: {escape(reading(finding))}", soft_wrap=True)
    for finding in diagnosis["findings"][len(findings) :]:
        _show(finding, "[yellow]note[/]   ", console)
    if not findings:
        console.print("[green]nothing was found to be wrong[/]")
    if figure := diagnosis["figure"]:
        console.print(f"figure  {escape(short_path(figure))}", soft_wrap=True)


def _show(finding: "Finding", label: str, console: Console) -> None:
    console.print(f"{label} {finding['rule']}: {escape(reading(finding))}", soft_wrap=True)
    if finding["consequence"]:
        console.print(f"        {escape(finding['consequence'])}", soft_wrap=True)
    console.print(f"        {escape(finding['source'])}", soft_wrap=True)
    if finding["override"]:
        console.print(f"        try {escape(finding['override'])}: {escape(finding['command'])}", soft_wrap=True)


def _table(layers: "list[LayerRecord]") -> Table:
    table = Table(
        title="layers: before the first update, after the last", title_justify="left", box=None, pad_edge=False
    )
    table.add_column("layer")
    for header in (
        "units",
        "pre-activation std",
        "mean",
        "activation std",
        "dead",
        "saturated",
        "gradient rms",
        "update",
    ):
        table.add_column(header, justify="right")
    for layer in layers:
        first, last = layer["first"], layer["last"]
        pairs = [(first["pre_std"], last["pre_std"]), (first["mean"], last["mean"]), (first["std"], last["std"])]
        ends = [(first["dead"], last["dead"]), (first["saturated"], last["saturated"])]
        cells = [*map(_pair, pairs), *map(_shares, ends), _pair((first["grad_rms"], last["grad_rms"]))]
        ratio = layer["update_ratio"]
        name = f"{layer['name']} {layer['activation']}".rstrip()
        table.add_row(escape(name), str(layer["num_units"]), *cells, "" if ratio is None else f"{ratio:.1e}")
    return table


def _pair(values: tuple[float, float]) -> str:
    return ", ".join(f"{value:.2g}" for value in values)


def _shares(values: tuple[float | None, float | None]) -> str:
    return "" if values[0] is None else ", ".join("" if value is None else f"{value:.0%}" for value in values)
