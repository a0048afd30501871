r"""The tables of a page in LaTeX, with `booktabs`: to be taken in by ``\input``."""

import re
from functools import singledispatch

from dlexp.report.cell import are_numbers, text_of
from dlexp.report.model import Block, Commands, Figure, Page, Pictures, Table, Text

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "\u00d7": r"$\times$",
    "…": r"\dots{}",
    "²": r"$^2$",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}
_PATTERN = re.compile("|".join(map(re.escape, _SPECIAL)))


def write(page: Page) -> str:
    """Return the answer as a comment and the tables that are not folded away; the preamble needs ``booktabs``."""
    head = [f"% {page.question}", f"% {page.answer}", "% \\usepackage{booktabs}"]
    comments = "\n".join(" ".join(line.split()) for line in head)
    blocks = [block for section in page.sections if not section.is_folded for block in section.blocks]
    return f"{comments}\n{''.join(_block(block) for block in blocks)}"


def escape(text: str) -> str:
    """Return a text, in one line, that is set as itself."""
    return _PATTERN.sub(lambda match: _SPECIAL[match[0]], " ".join(text.split()))


@singledispatch
def _block(block: Block) -> str:
    raise AssertionError(f"{type(block).__name__} has no form in LaTeX")


@_block.register(Text)
@_block.register(Pictures)
@_block.register(Commands)
def _nothing(block: Block) -> str:
    return ""


@_block.register
def _figure(block: Figure) -> str:
    return "" if block.table is None else _table(block.table)


@_block.register
def _table(block: Table) -> str:
    form = "".join("r" if is_number else "l" for is_number in are_numbers(block))
    rows = []
    for row in block.rows:
        cells = [escape(text_of(cell)) for cell in row.cells]
        shown = [f"\\textbf{{{cell}}}" if row.is_marked and cell else cell for cell in cells]
        rows.append(f"    {' & '.join(shown)} \\\\\n")
    head = " & ".join(escape(column) for column in block.columns)
    return (
        f"\n\\begin{{table}}\n  \\centering\n  \\caption{{{escape(block.caption)}}}\n  \\begin{{tabular}}{{{form}}}\n"
        f"    \\toprule\n    {head} \\\\\n    \\midrule\n{''.join(rows)}    \\bottomrule\n  \\end{{tabular}}\n"
        "\\end{table}\n"
    )
