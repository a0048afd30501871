"""What `dlexp runs` prints: a table for each experiment, in as many columns as fit, never wrapped."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dlexp.number import duration, noun, significant

from ...text import printable

if TYPE_CHECKING:
    from dlexp.run.document import RunRecord
    from dlexp.run.listing.ranking import Ranking

COLORS = {"finished": "green", "stopped_early": "green", "running": "cyan", "detached": "cyan"}
WIDTH_OF_A_FILE = 1000  # columns
APART = "Each table has its own validation examples (in brackets): scores do not rank from table to table."
GAP = 2  # spaces between columns
MOST_CHARACTERS = 32  # of a cell, unless everything is wanted


def show(rankings: "list[Ranking]", names: list[str] | None, console: Console, *, is_wide: bool) -> None:
    """Print the runs.

    Args:
        rankings: A table each.
        names: Of the columns; None for those worth showing.
        console: For people; off a terminal every column of every run is printed, a line a run, for grep and awk.
        is_wide: Print every column, however wide the terminal is.
    """
    from dlexp.run.listing.column import columns

    if not console.is_terminal:
        records = [record for ranking in rankings for record in ranking.records]
        sorts = {ranking.sort for ranking in rankings}
        shown = names or columns(records, sorts.pop() if len(sorts) == 1 else None)
        if not console.quiet:
            console.file.write(_lines(records, shown))
        return
    if is_wide:
        console.width = WIDTH_OF_A_FILE
    for number, ranking in enumerate(rankings):
        if number:
            console.print()
        _show_ranking(ranking, names, console, is_wide=is_wide)
    if any(ranking.examples for ranking in rankings):
        console.print(Text(f"\n{APART}", style="dim"))


def _show_ranking(ranking: "Ranking", names: list[str] | None, console: Console, *, is_wide: bool) -> None:
    from dlexp.run.listing.column import columns

    most = WIDTH_OF_A_FILE if is_wide else MOST_CHARACTERS
    every = names or columns(ranking.records, ranking.sort)
    shown = fitting(ranking.records, every, console.width, most)
    console.print(Text(_title(ranking), style="bold"))
    console.print(_table(ranking.records, shown, most))
    hidden = [f"+{noun(len(every) - len(shown), 'column')} (--wide)"] if len(shown) < len(every) else []
    hidden += [f"+{noun(ranking.hidden, 'run')} (--limit)"] if ranking.hidden else []
    if hidden:
        console.print(Text(", ".join(hidden), style="dim"))


def _title(ranking: "Ranking") -> str:
    number = len(ranking.records) + ranking.hidden
    name, sign = ranking.sort.removeprefix("-"), ranking.sort.startswith("-")
    if name.startswith("metrics."):
        order = f"{'worst' if sign else 'best'} {name.removeprefix('metrics.')} first"
    elif name == "start":
        order = "newest first" if sign else "oldest first"
    else:
        order = f"by {name}{', turned round' if sign else ''}"
    examples = f" ({ranking.examples})" if ranking.examples else ""
    experiment = "" if ranking.experiment is None else f"{ranking.experiment}{examples}: "
    return f"{experiment}{noun(number, 'run')}, {order}"


def fitting(records: "Sequence[RunRecord]", names: list[str], width: int, most: int = MOST_CHARACTERS) -> list[str]:
    """Return the columns that fit a width, whole, the first ones first; the first in any case.

    Args:
        records: Of the rows.
        names: Of the columns, the most telling first.
        width: Characters of a line.
        most: Characters of a cell; longer ones are cut.
    """
    headers = dict(zip(names, _headers(names), strict=True))
    shown, used = [], 0
    for name in names:
        cells = [headers[name], *(text_of(record, name) for record in records)]
        needed = min(most, max(map(cell_len, cells))) + (GAP if shown else 0)
        if not shown or used + needed <= width:
            shown.append(name)
            used += needed
    return shown


def _lines(records: "Sequence[RunRecord]", names: list[str]) -> str:
    """Return a line a run; thousands of them take a table of rich's seconds."""
    rows = [_headers(names), *([printable(text_of(record, name)) for name in names] for record in records)]
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    padded = [[_pad(cell, width, name) for cell, width, name in zip(row, widths, names, strict=True)] for row in rows]
    return "".join(f"{(' ' * GAP).join(row).rstrip()}\n" for row in padded)


def _pad(cell: str, width: int, name: str) -> str:
    space = " " * (width - cell_len(cell))
    return space + cell if _is_number(name) else cell + space


def _is_number(name: str) -> bool:
    return name.startswith("metrics.") or name in ("value", "seconds")


def _table(records: "Sequence[RunRecord]", names: list[str], most: int) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0))
    for name, header in zip(names, _headers(names), strict=True):
        justify = "right" if _is_number(name) else "left"
        table.add_column(Text(header), no_wrap=True, overflow="ellipsis", max_width=most, justify=justify)
    for record in records:
        table.add_row(*(Text(text_of(record, name), style=_style(record, name)) for name in names))
    return table


def _style(record: "RunRecord", name: str) -> str:
    if name != "status":
        return ""
    return "yellow" if text_of(record, name) != record["status"] else COLORS.get(record["status"], "yellow")


def _headers(names: list[str]) -> list[str]:
    """Shorten params to their last word where no other column ends so."""
    from dlexp.run.listing.column import HEADERS

    lasts = [name.rpartition(".")[2] for name in names]
    headers: list[str] = []
    for name, last in zip(names, lasts, strict=True):
        is_clear = name.startswith("params.") and lasts.count(last) == 1
        headers.append(last if is_clear else name.partition(".")[2] or name)
    return [HEADERS.get(header, header) for header in headers]


def text_of(record: "RunRecord", name: str) -> str:
    """Return a cell; empty where the run lacks it."""
    from dlexp.run.listing.filter import value_of

    if name in _WORDS:
        return _WORDS[name](record)
    value = value_of(record, name)
    if value is None or value == []:
        return ""
    if name.startswith("metrics.") or name == "value":
        return significant(value) if isinstance(value, int | float) else str(value)
    return _plain(value)


def _plain(value: Any) -> str:
    from dlexp.config.wording import short_value

    if isinstance(value, float):
        return short_value(value)
    text = " ".join(str(value).split())
    return text.replace(", ", ",") if isinstance(value, list) else text  # as it is typed


def done(record: "RunRecord") -> str:
    """Return how far a run came, in words: 3 epochs, 37 of 500 epochs, 30 trials, 2 of 5 folds, 4 of 60 models."""
    from dlexp.run.status import Status

    if "jobs" in record:
        jobs = record["jobs"]
        return f"{jobs['ended']} of {noun(jobs['waiting'] + jobs['running'] + jobs['ended'], 'job')}"
    for kind, key, word in (("sweep", "trials", "trial"), ("cv", "settings", "setting"), ("cv", "folds", "fold")):
        inner = record.get(key)
        if record["kind"] == kind and isinstance(inner, list) and inner:
            ended = sum(key != "folds" or each["status"] in (Status.FINISHED, Status.STOPPED_EARLY) for each in inner)
            return noun(ended, word) if ended == len(inner) else f"{ended} of {noun(len(inner), word)}"
    if record["kind"] == "ensemble" and "num_models" in record:
        return f"{len(record['members'])} of {noun(record['num_models'], 'model')}"
    epochs, planned = record.get("epochs"), record.get("planned_epochs")
    if record["kind"] != "train" or (epochs is None and planned is None):
        return ""
    return noun(epochs or 0, "epoch") if planned is None else f"{epochs or 0} of {noun(planned, 'epoch')}"


def moment(text: str | None) -> str:
    """Return a time of ISO 8601 as this machine's clock has it, to the minute; empty where there is none."""
    if not text:
        return ""
    try:
        return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return ""


def _took(record: "RunRecord") -> str:
    seconds = record.get("seconds")
    return duration(seconds) if isinstance(seconds, int | float) else ""


def _status(record: "RunRecord") -> str:
    from dlexp.run.listing.guessing import is_a_guess

    return f"{record['status']}, a guess" if is_a_guess(record) else record["status"]


_WORDS: "dict[str, Callable[[RunRecord], str]]" = {
    "status": _status,
    "done": done,
    "took": _took,
    "start": lambda record: moment(record["start"]),
    "end": lambda record: moment(record["end"]),
    "tags": lambda record: " ".join(record["tags"]),
}
