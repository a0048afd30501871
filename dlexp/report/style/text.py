"""Text that matplotlib draws as it is: no formula, no hidden legend, no character without a glyph, no endless label."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from matplotlib.figure import Figure
from matplotlib.font_manager import FontEntry, fontManager, get_font
from matplotlib.text import Text

FIRST_FONT = "DejaVu Sans"  # comes with matplotlib
LAST_RESORT = "Last Resort"  # of matplotlib too; its glyphs say that there is no glyph
UNKNOWN = "\u25a1"  # a white square
LONGEST = 28  # characters of a label that stands at its mark; longer ones stand in a key
KEY_WIDTH = 100  # characters of a line of a key
LINE = 0.13  # inches of a line of a key
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


def label(names: Sequence[str], longest: int = LONGEST) -> Labels:
    """Return labels for names: themselves; #1, #2 where no font can draw them; letters and a key for long ones.

    Args:
        names: In their order, which is that of the numbers and letters.
        longest: Characters that a label may have.
    """
    drawable = [all(_font(character) is not None for character in " ".join(name.split())) for name in names]
    shown = [
        plain(name) if is_drawable else f"#{place}"
        for place, (name, is_drawable) in enumerate(zip(names, drawable, strict=True), 1)
    ]
    note = [] if all(drawable) else ["#: number of a name in its list, where no installed font can draw it"]
    if max(map(len, shown), default=0) <= longest:
        return Labels(shown, note)
    short = [letters(place) for place in range(len(names))]
    return Labels(short, [*(f"{letter}  {name}" for letter, name in zip(short, shown, strict=True)), *note])


def add_key(figure: Figure, key: Sequence[str], size: float = 7) -> None:
    """Write the lines of a key below the axes; the figure grows by their height."""
    if not key:
        return
    per_line = max(20, int(figure.get_figwidth() * 72 / (0.62 * size)))
    lines = [line for entry in key for line in _wrap(entry, per_line)]
    figure.set_figheight(figure.get_figheight() + LINE * len(lines) * size / 7 + 0.1)
    figure.supxlabel("\n".join(lines), x=0.01, ha="left", fontsize=size)


def use_fonts(figure: Figure) -> None:
    """Give every text of a figure the fonts that its characters need."""
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        needed = [font for character in set(text.get_text()) if (font := _font(character))]
        others = sorted({font for font in needed if font != FIRST_FONT})
        if others:
            text.set_fontfamily([FIRST_FONT, *others])


def _wrap(entry: str, width: int) -> Iterator[str]:
    """Yield lines of at most `width` characters: names may have no space to break at."""
    yield entry[:width]
    for start in range(width, len(entry), width - 4):
        yield f"    {entry[start : start + width - 4]}"


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
