"""What `dlexp data` prints: parts, columns, examples, warnings."""

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from dlexp.number import decimal, noun, significant

from ..text import escape, size_text

if TYPE_CHECKING:
    from dlexp.build.document import ColumnRecord, DataDocument
    from dlexp.data.dataset import Dataset

SHOWN = 40
SHOWN_CATEGORIES = 6


def show(document: "DataDocument", console: Console) -> None:
    """Print the examples, parts, columns and channels that were read, and what looks wrong."""
    shape = " x ".join(map(str, document["in_shape"]))
    console.print(
        f"data      {escape(document['name'])} ({document['task']}): "
        f"{noun(document['num_examples'], 'example')} of {shape}"
    )
    console.print(f"memory    {size_text(document['bytes'])} as {document['type']}")
    console.print(_part_table(document))
    if document["columns"]:
        console.print(_column_table(document["columns"]))
    for number, channel in enumerate(document["channels"]):
        console.print(
            f"channel {number} mean {decimal(channel['mean'])}, deviation {decimal(channel['std'])} of [0, 1]"
        )
    for example in document["examples"]:
        inputs = ", ".join(f"{name} {value:.15g}" for name, value in list(example.get("inputs", {}).items())[:8])
        target = example["target"]
        label = ", ".join(f"{k} {v}" for k, v in target.items()) if isinstance(target, dict) else str(target)
        console.print(f"example   {escape(example['id'])}: {escape(label)}  {escape(inputs)}")
    for warning in document["warnings"]:
        console.print(f"[yellow]warning[/] {escape(warning)}")
    if document["figure"]:
        console.print(f"figure    {escape(document['figure'])}")


def _part_table(document: "DataDocument") -> Table:
    table = Table(box=None, pad_edge=False)
    parts = document["parts"]
    by_target = next(iter(parts.values())).get("targets", {})
    table.add_column("target" if by_target else "class" if document["class_names"] else "value", overflow="fold")
    for part in parts:
        table.add_column(part, justify="right")
    if by_target:
        for name in by_target:
            table.add_row(escape(name), *(_of_target(part.get("targets", {})[name]) for part in parts.values()))
    elif document["class_names"]:
        for k, name in enumerate(document["class_names"][:SHOWN]):
            table.add_row(f"{k} {escape(name)}", *(f"{part.get('counts', {})[name]:,}" for part in parts.values()))
        if len(document["class_names"]) > SHOWN:
            table.add_row(f"... and {len(document['class_names']) - SHOWN} more")
    else:
        for key, shown in (("min", _whole), ("mean", significant), ("max", _whole)):
            values = [part.get(key) for part in parts.values()]
            table.add_row(key, *("" if value is None else shown(value) for value in values))
    table.add_row("all", *(f"{part['num']:,}" for part in parts.values()), style="bold")
    return table


def _of_target(about: dict[str, Any]) -> str:
    """Return what a part has of one of several targets: its examples, and its classes or the span of its values."""
    if "counts" in about:
        return f"{about['num']:,} of {noun(sum(count > 0 for count in about['counts'].values()), 'class')}"
    span = f", {significant(about['min'])} to {significant(about['max'])}" if "min" in about else ""
    return f"{about['num']:,}{span}"


def _column_table(columns: list["ColumnRecord"]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("column", overflow="fold")
    table.add_column("type")
    table.add_column("gaps", justify="right")
    table.add_column("what is in it", overflow="fold")
    for column in columns[:SHOWN]:
        if column["type"] == "number":
            content = "{min:.15g} to {max:.15g}, mean ".format(**column) + significant(column.get("mean"))
        else:
            counts = sorted(column.get("counts", {}).items(), key=lambda item: -item[1])
            content = ", ".join(f"{name} {number:,}" for name, number in counts[:SHOWN_CATEGORIES])
            content += f" and {len(counts) - SHOWN_CATEGORIES} more" if len(counts) > SHOWN_CATEGORIES else ""
        table.add_row(escape(column["name"]), column["type"], f"{column['gaps']:,}", escape(content))
    if len(columns) > SHOWN:
        table.add_row(f"... and {len(columns) - SHOWN} more")
    return table


def _whole(value: float) -> str:
    return f"{value:.15g}"


def show_classes(data: "Dataset", console: Console) -> None:
    """Print two classes, and which of them precision, recall and F1 are of, or several targets; nothing of others."""
    from dlexp.data.fact.positive import describe_positive

    if data.heads:
        kinds = [noun(head.num_classes, "class") if head.num_classes else "value" for head in data.heads]
        gaps = [" with gaps" if head.has_gaps else "" for head in data.heads]
        named = zip([head.name for head in data.heads], kinds, gaps, strict=True)
        console.print(escape(f"targets {', '.join(f'{name} ({kind}{gap})' for name, kind, gap in named)}"))
    if positive := describe_positive(data):
        console.print(f"classes {escape(', '.join(data.class_names))}; positive: {escape(positive)}")
