"""A page as one HTML file that needs nothing but itself: no request leaves it, and it works without its script."""

import base64
import hashlib
import struct
from functools import cache
from importlib import resources

from dlexp.report.cell import are_numbers, text_of
from dlexp.report.element import Markup, element, escape, join
from dlexp.report.model import Block, Card, Commands, Figure, Page, Pictures, Row, Section, Table, Text
from dlexp.report.svg import Colors, embed

LONG = 30  # rows of a table that is shown in a window of its own
TILE = 64  # pixels of a picture on the page


def write(page: Page) -> str:
    """Return the file."""
    writer = _Writer()
    sections = join([writer.section(section) for section in page.sections])
    script = _asset("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; img-src data:"
    style = Markup(_asset("page.css") + writer.colors.css() + "".join(writer.styles))
    head = join(
        [
            Markup('<meta charset="utf-8">'),
            Markup(f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">'),
            Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
            Markup('<meta name="color-scheme" content="light dark">'),
            element("title", page.question),
            element("style", style),
        ]
    )
    notes = join([element("p", note, class_="note") for note in page.notes])
    header = element(
        "header",
        element("p", page.about, class_="about"),
        element("h1", page.question),
        element("p", page.answer, class_="answer"),
        notes,
        element("dl", *[_card(card) for card in page.cards], class_="cards"),
    )
    body = element("body", header, element("main", sections), element("script", Markup(script)))
    return f'<!DOCTYPE html>\n<html lang="en">{element("head", head)}{body}</html>\n'


def fragment(page: Page) -> str:
    """Return the head of the page, its answer and its cards, for a notebook's cell: no style of its own, no script."""
    cards = [
        element("td", element("b", card.value), Markup("<br>"), card.label, element("small", f" {card.note}"))
        for card in page.cards
    ]
    notes = [element("p", note) for note in page.notes]
    answer = element("p", element("b", page.answer))
    return element("div", element("h4", page.question), answer, *notes, element("table", element("tr", *cards)))


@cache
def _asset(name: str) -> str:
    return resources.files("dlexp.report").joinpath("asset", name).read_text(encoding="utf-8")


def _card(card: Card) -> Markup:
    note = element("dd", card.note, class_="of") if card.note else Markup()
    return element("div", element("dt", card.label), element("dd", card.value), note)


class _Writer:
    """Writes blocks; knows the colours of the figures so far, and numbers what has to be told apart."""

    def __init__(self) -> None:
        self.colors = Colors()
        self.styles: list[str] = []
        self.number = 0

    def section(self, section: Section) -> Markup:
        """Return a section; figures beside each other in rows."""
        pieces: list[Markup] = []
        row: list[Markup] = []
        for block in section.blocks:
            if isinstance(block, Figure):
                row.append(self._figure(block))
                continue
            if row:
                pieces.append(element("div", *row, class_="figures"))
                row = []
            pieces.append(self._block(block))
        if row:
            pieces.append(element("div", *row, class_="figures"))
        if section.is_folded:
            summary = element("summary", element("h2", section.title))
            return element("details", summary, *pieces, class_="section")
        return element("section", element("h2", section.title), *pieces)

    def _block(self, block: Block) -> Markup:
        if isinstance(block, Text):
            return element("p", block.text)
        if isinstance(block, Table):
            return self._table(block)
        if isinstance(block, Pictures):
            return self._pictures(block)
        assert isinstance(block, Commands)
        lines = [
            element("div", element("code", command, tabindex="0"), element("span", about), class_="command")
            for command, about in block.lines
        ]
        return element("div", *lines, class_="commands")

    def _next(self) -> str:
        self.number += 1
        return f"f{self.number}-"

    def _figure(self, block: Figure) -> Markup:
        label = f"{block.title}: {block.finding}"
        drawn = Markup(embed(block.draw(), self._next(), label, self.colors, block.keys, block.names))
        caption = element("figcaption", element("h3", block.title), element("p", block.finding))
        behind = Markup()
        if block.table is not None:
            behind = element("details", element("summary", "the numbers"), self._table(block.table))
        return element("figure", caption, drawn, behind)

    def _table(self, block: Table) -> Markup:
        numbers = are_numbers(block)
        head = [
            element("th", column, scope="col", class_="number" if is_number else False)
            for column, is_number in zip(block.columns, numbers, strict=True)
        ]
        rows = [_row(row, numbers) for row in block.rows]
        table = element(
            "table",
            element("caption", block.caption),
            element("thead", element("tr", *head)),
            element("tbody", *rows),
            class_="ranked" if block.is_ranked else False,
        )
        shape = "scroll long" if len(block.rows) > LONG else "scroll"
        return element("div", table, class_=shape, tabindex="0", role="region", aria_label=block.caption)

    def _pictures(self, block: Pictures) -> Markup:
        name = self._next().rstrip("-")
        width, height = struct.unpack(">II", block.png[16:24])  # of the PNG's header
        scale = TILE * block.columns / width
        data = base64.b64encode(block.png).decode()
        self.styles.append(
            f".{name}{{background-image:url(data:image/png;base64,{data});"
            f"background-size:{TILE * block.columns}px {round(height * scale)}px}}"
        )
        tiles = [
            element(
                "figure",
                element(
                    "div",
                    class_=f"tile {name}",
                    role="img",
                    aria_label=caption,
                    style=f"background-position:-{place % block.columns * TILE}px -{place // block.columns * TILE}px",
                ),
                element("figcaption", caption),
            )
            for place, caption in enumerate(block.captions)
        ]
        heading = join([element("h3", block.title), element("p", block.finding)])
        return join([heading, element("div", *tiles, class_="tiles")])


def _row(row: Row, numbers: list[bool]) -> Markup:
    cells: list[Markup] = []
    for place, (cell, is_number) in enumerate(zip(row.cells, numbers, strict=True)):
        text: str = text_of(cell)
        if place == 0 and row.link:
            text = element("a", text or row.link, href=row.link)
        sort = repr(cell) if isinstance(cell, int | float) else False
        cells.append(element("td", text, class_="number" if is_number else False, data_value=sort))
    return element("tr", *cells, data_key=row.key or False, class_="marked" if row.is_marked else False)
