"""Text that matplotlib draws as it is: no formula, no hidden legend, no character without a glyph, no endless label."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from matplotlib.figure import Figure
from matplotlib.font_manager import FontEntry, fontManager, get_font
from matplotlib.text import Text

FIRST_FONT = "DejaVu Sans"  # comes with matplotlib
LAST_RESORT = "Last Resort"  # of matplotlib too; its glyphs say that there is no glyph
UNKNOWN = "\u25a1"  # a white square
LONGEST = 28  # characters of a label that stands at its mark; longer ones stand in a key
CHARACTER = 0.62  # mean width of a character, by its size
FONT = 7  # points of a key
LETTERS = 26
# the replacement of a character that is drawn by something else than its glyph, or by nothing
_INVISIBLE = {"\u200b", "\u200c", "\u200d", "\u200e", "\u200f"}


def plain(text: str) -> str:
    """Return a text that is shown as it is, in one line; a character without a glyph in any font is a square."""
    one_line = " ".join(text.split())
    shown = "".join(character if _font(character) is not None else UNKNOWN for character in one_line)
    shown = shown.replace("\\", "\\\\").replace("$", r"\$") if "$" in shown else shown
    return f"\u200b{shown}" if shown.startswith("_") else shown


def shorten(text: str, most: int = LONGEST) -> str:
    """Return a text of at most `most` characters: the middle is what is left out, for what differs is at the ends."""
    if len(text) <= most:
        return text
    head = (most - 1) // 2
    return f"{text[:head]}…{text[len(text) - (most - 1 - head) :]}"


def fit(inches: float, size: float = FONT) -> int:
    """Return how many characters of a size in points a width has room for."""
    return int(inches * 72 / (CHARACTER * size))


def letters(place: int) -> str:
    """Return A, B, ..., Z, AA, AB, ... for 0, 1, ..."""
    rest, last = divmod(place, LETTERS)
    return (letters(rest - 1) if rest else "") + chr(ord("A") + last)


@dataclass(frozen=True)
class Labels:
    """Labels as they stand at their marks.

    Attributes:
        short: One for each name.
        key: Lines that say what letters and numbers stand for; empty where the names themselves stand there.
    """

    short: list[str]
    key: list[str]


def label(names: Sequence[str], longest: int = LONGEST, places: Sequence[int] | None = None) -> Labels:
    """Return labels for names: themselves; #1, #2 where no font can draw them; letters and a key for long ones.

    Args:
        names: In their order, which is that of the letters.
        longest: Characters that a label may have.
        places: Of the names in the list that they are of, from 0; None where they are that list.
    """
    drawable = [all(_font(character) is not None for character in " ".join(name.split())) for name in names]
    shown = [
        plain(name) if is_drawable else f"#{place + 1}"
        for place, name, is_drawable in zip(places or range(len(names)), names, drawable, strict=True)
    ]
    note = [] if all(drawable) else ["#: number of a name in its list, where no installed font can draw it"]
    if max(map(len, shown), default=0) <= longest:
        return Labels(shown, note)
    short = [letters(place) for place in range(len(names))]
    return Labels(short, [*(f"{letter}  {name}" for letter, name in zip(short, shown, strict=True)), *note])


def wrap(key: Sequence[str], inches: float, size: float = FONT) -> list[str]:
    """Return the lines of a key, none longer than a width has room for: names may have no space to break at."""
    width = fit(inches, size)
    unbroken = [entry.replace("  ", "\u00a0\u00a0", 1) for entry in key]  # a letter stands before its name's beginning
    return [line for entry in unbroken for line in textwrap.wrap(entry, width, subsequent_indent="    ")]


def use_fonts(figure: Figure) -> None:
    """Give every text of a figure the fonts that its characters need."""
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        needed = [font for character in set(text.get_text()) if (font := _font(character))]
        others = sorted({font for font in needed if font != FIRST_FONT})
        if others:
            text.set_fontfamily([FIRST_FONT, *others])


@lru_cache(maxsize=4096)
def _font(character: str) -> str | None:
    """Return the font that draws a character, matplotlib's own before others; None without any."""
    if character in _INVISIBLE or character == "\n":
        return FIRST_FONT
    if not character.isprintable():
        return None
    return next((entry.name for entry in _fonts() if _has_glyph(entry.fname, character)), None)


@lru_cache(maxsize=1)
def _fonts() -> list[FontEntry]:
    """Return an upright font of each family, matplotlib's own first."""
    by_family: dict[str, FontEntry] = {}
    for entry in fontManager.ttflist:
        if (
            not entry.name.startswith(LAST_RESORT)
            and entry.style == "normal"
            and entry.weight in (400, "normal", "regular")
        ):
            by_family.setdefault(entry.name, entry)
    return sorted(by_family.values(), key=lambda entry: (entry.name != FIRST_FONT, entry.name))


def _has_glyph(path: str, character: str) -> bool:
    return get_font(path).get_char_index(ord(character)) != 0
