"""What `dlexp summary` prints: the layers of a model."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from ..text import escape
from .fit import show_table

if TYPE_CHECKING:
    from dlexp.build.document import LayerRecord, SummaryDocument


def show(summary: "SummaryDocument", console: Console) -> None:
    """Print the layers, and the sums over them."""
    shape, outputs = _shape(summary["input_shape"]), summary["num_outputs"]
    title = f"{escape(summary['model'])} for {escape(summary['data'])}: {shape} -> {outputs}"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("layer", overflow="fold")
    table.add_column("type", overflow="fold")
    frozen = summary["num_params"] - summary["num_trainable"]
    headers = ["output", "parameters", *(["trained"] if frozen else []), "share", "FLOPs", "share", "field", "stride"]
    for header in headers:
        table.add_column(header, justify="right", no_wrap=True)
    for layer in summary["layers"]:
        table.add_row(*_row(layer, has_frozen=frozen > 0), style="dim" if layer["is_auxiliary"] else None)
    show_table(table, console, ("stride", "field", "share"), shortened="layer")
    trained = f", {frozen:,} of them frozen" if frozen else ""
    console.print(f"parameters  {summary['num_params']:,}{trained}")
    console.print(f"FLOPs       {_short(summary['flops'])} for one example, a multiply-add as two")
    for head in summary["auxiliary"]:
        where = f"{head['name']} reads {head['behind']}; its loss counts {head['weight']:g} in training"
        console.print(f"auxiliary   {escape(where)}; evaluation leaves it out")
    for warning in summary["warnings"]:
        console.print(f"[yellow]warning[/]     {escape(warning)}")


def _row(layer: "LayerRecord", *, has_frozen: bool) -> list[str]:
    params, flops = layer["num_params"], layer["flops"]
    return [
        escape(layer["name"]),
        escape(layer["type"]),
        _shape(layer["output_shape"]),
        f"{params:,}" if params else "",
        *([f"{layer['num_trainable']:,}" if params else ""] if has_frozen else []),
        f"{layer['share']:.1%}" if params else "",
        _short(flops) if flops else "",
        f"{layer['flops_share']:.1%}" if layer["flops_share"] else "",
        "" if layer["receptive_field"] is None else str(layer["receptive_field"]),
        "" if layer["stride"] is None else str(layer["stride"]),
    ]


def _shape(sizes: list[int]) -> str:
    return "x".join(map(str, sizes))


def _short(number: int) -> str:
    """Return a count with three digits and a prefix: 3,628,146,688 is 3.63 G, 23,000,000 is 23.0 M."""
    for unit, size in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= 0.9995 * size:
            return f"{number / size:#.3g}".rstrip(".") + f" {unit}"
    return str(number)
