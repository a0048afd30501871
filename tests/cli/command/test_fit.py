"""Tables on terminals of every width: whole columns, whole cells."""

import io
from importlib import import_module
from typing import cast

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

fit = import_module("dlexp.cli.view.fit")  # installed from cli/, which type checkers cannot see
HEADERS = ("metric", "mean", "std", "95 % interval", "pooled")


def lines(width, *, is_terminal=True, setting="lr=0.1", **options):
    console = Console(file=io.StringIO(), width=width, force_terminal=is_terminal, color_system=None)
    table = Table(title="a title that is wider than the narrowest of these terminals")
    for header in HEADERS:
        table.add_column(header)
    table.add_row(setting, "0.1234", "0.0123", "0.1000 to 0.2000", "0.1111")
    fit.show_table(table, console, **options)
    return cast(io.StringIO, console.file).getvalue().splitlines()


@pytest.mark.parametrize("width", [25, 30, 40, 60, 80, 200])
def test_what_is_shown_is_whole_and_what_is_not_is_counted(width):
    shown = lines(width, last=("pooled", "std"))
    assert max(map(cell_len, shown)) <= width
    row = next(line for line in shown if "lr=0.1" in line)
    cells = [cell.strip() for cell in row.strip("│").split("│")]
    assert set(cells) <= {"lr=0.1", "0.1234", "0.0123", "0.1000 to 0.2000", "0.1111"}
    hidden = len(HEADERS) - len(cells)
    assert (f"+{hidden} column" in shown[-1]) == (hidden > 0)


def test_the_named_columns_go_first():
    text = "\n".join(lines(50, last=("pooled", "std")))
    assert "pooled" not in text
    assert "95 % interval" in text


def test_a_text_is_shortened_before_a_column_goes():
    shown = lines(90, setting="optimizer.lr=0.1 " * 6, shortened="metric")
    assert max(map(cell_len, shown)) <= 90
    assert "…" in "\n".join(shown)
    assert all(header in "\n".join(shown) for header in HEADERS)


def test_off_a_terminal_all_is_printed():
    assert all(header in "\n".join(lines(200, is_terminal=False)) for header in HEADERS)
