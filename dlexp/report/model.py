"""What a page says, before it is written in any form: sections of texts, tables, figures, pictures and commands."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

Value = str | float | int | None  # of a cell: None is empty


class Exact(float):
    """A number that was set, not measured: shown as short as it is, 0.1 and not 0.1000."""


@dataclass(frozen=True)
class Row:
    """A row of a table.

    Attributes:
        cells: One for each column.
        key: Of the datum that figures show too; "" without one.
        is_marked: Whether it belongs to the best: bold in every form.
        link: Where the first cell leads; "" for nowhere.
    """

    cells: Sequence[Value]
    key: str = ""
    is_marked: bool = False
    link: str = ""


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        caption: What it holds.
        columns: Their headers.
        rows: In their order.
        is_ranked: Whether the best come first, so that a reader may ask for the best few.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[Row]
    is_ranked: bool = False


@dataclass(frozen=True)
class Figure:
    """A figure with the table behind it.

    Attributes:
        title: Its heading.
        finding: What it shows, in a sentence, for those who do not see it.
        draw: Gives its SVG; it is called only for a form that shows figures.
        table: The numbers behind it; None where a table of the same section holds them.
        keys: By the id of a group of marks, the key of each mark.
        names: What a mark says of itself, by its key.
    """

    title: str
    finding: str
    draw: Callable[[], bytes]
    table: Table | None = None
    keys: Mapping[str, Sequence[str]] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Pictures:
    """Examples as pictures, all in one file.

    Attributes:
        title: Their heading.
        finding: What they are.
        png: Rows of square tiles without gaps.
        columns: Tiles a row.
        captions: One for each tile, in the order of reading.
    """

    title: str
    finding: str
    png: bytes
    columns: int
    captions: Sequence[str]


@dataclass(frozen=True)
class Text:
    """A paragraph of a section."""

    text: str


@dataclass(frozen=True)
class Commands:
    """Commands to be copied, each with what it does."""

    lines: Sequence[tuple[str, str]]


Block = Text | Table | Figure | Pictures | Commands


@dataclass(frozen=True)
class Section:
    """A part of a page.

    Attributes:
        title: Its heading.
        blocks: What it holds.
        is_folded: Whether a reader has to open it.
    """

    title: str
    blocks: Sequence[Block]
    is_folded: bool = False


@dataclass(frozen=True)
class Card:
    """A number that a reader looks for first.

    Attributes:
        label: What it is.
        value: The number, as text.
        note: What it is measured on, or how sure it is.
    """

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Page:
    """A page.

    Attributes:
        about: Kind, data and model, in a line.
        question: The title.
        answer: A sentence with interval and number of examples, folds or settings.
        cards: The first numbers.
        sections: Everything else.
        notes: What a reader should not miss.
    """

    about: str
    question: str
    answer: str
    cards: Sequence[Card]
    sections: Sequence[Section]
    notes: Sequence[str] = ()
