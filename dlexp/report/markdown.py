"""A page in Markdown, for a pull request: figures are left out, the tables behind them stay."""

import re
from collections.abc import Sequence
from functools import singledispatch

from dlexp.report.cell import are_numbers, text_of
from dlexp.report.model import Block, Commands, Figure, Page, Pictures, Section, Table, Text

MOST_ROWS = 20
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~])")


def write(page: Page) -> str:
    """Return the page as GitHub reads it."""
    cards = "".join(f"| {escape(c.label)} | **{escape(c.value)}** | {escape(c.note)} |\n" for c in page.cards)
    head = f"## {escape(page.question)}\n\n{escape(page.answer)}\n\n{escape(page.about)}\n"
    notes = "".join(f"\n> {escape(note)}\n" for note in page.notes)
    return f"{head}{notes}\n| | | |\n|---|---|---|\n{cards}{body(page.sections)}"


def body(sections: Sequence[Section]) -> str:
    """Return sections, each under a heading of the third level."""
    return "".join(_section(section) for section in sections)


def escape(text: str) -> str:
    """Return a text, in one line, that reads as itself."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _section(section: Section) -> str:
    blocks = "".join(_block(block) for block in section.blocks)
    if not blocks:
        return ""
    if section.is_folded:
        return f"\n<details><summary>{escape(section.title)}</summary>\n{blocks}\n</details>\n"
    return f"\n### {escape(section.title)}\n{blocks}"


@singledispatch
def _block(block: Block) -> str:
    raise AssertionError(f"{type(block).__name__} has no form in Markdown")


@_block.register
def _text(block: Text) -> str:
    return f"\n{escape(block.text)}\n"


@_block.register
def _figure(block: Figure) -> str:
    return f"\n{escape(block.finding)}\n{'' if block.table is None else _table(block.table)}"


@_block.register
def _pictures(block: Pictures) -> str:
    return f"\n{escape(block.finding)}\n"


@_block.register
def _commands(block: Commands) -> str:
    lines = "\n".join(f"{command}  # {about}" if about else command for command, about in block.lines)
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", lines)), default=0))
    return f"\n{fence}text\n{lines}\n{fence}\n"


@_block.register
def _table(block: Table) -> str:
    rule = "|".join("---:" if is_number else "---" for is_number in are_numbers(block))
    rows = []
    for row in block.rows[:MOST_ROWS]:
        cells = [escape(text_of(cell)) for cell in row.cells]
        rows.append("| " + " | ".join(f"**{cell}**" if row.is_marked and cell else cell for cell in cells) + " |\n")
    more = len(block.rows) - MOST_ROWS
    rest = f"\n{more:,} more rows are in the HTML form.\n" if more > 0 else ""
    head = " | ".join(escape(column) for column in block.columns)
    return f"\n{escape(block.caption)}\n\n| {head} |\n|{rule}|\n{''.join(rows)}{rest}"
