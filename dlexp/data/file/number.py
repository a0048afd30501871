"""Numbers as people write them: with a decimal comma, with thousands separators, and texts that only look like them."""

import re
from dataclasses import dataclass
from decimal import Decimal

_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(inf|infinity)", re.IGNORECASE)
_DIGITS = re.compile(r"[+-]?\d+(\.\d*)?")
_WHOLE = re.compile(r"-?(0|[1-9]\d*)")
_CODE = re.compile(r"[+-]?0\d+")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}([,.' _\u00a0\u202f]\d{3})+([.,]\d+)?")
# as NumPy and torch print them, percent, currencies, typesetters' minus, bookkeepers' parentheses, Fortran's exponents
_NUMBER = r"\d[\d.,]*"
_DRESSED = re.compile(
    rf"np\.\w+\([+-]?{_NUMBER}(e[+-]?\d+)?\)|tensor\(.*\)|\[[+-]?{_NUMBER}\]|"
    rf"[+-]?{_NUMBER}\s?[%‰€$£¥]|[+-]?[€$£¥]\s?[+-]?{_NUMBER}|[\u2212\u2013]{_NUMBER}|\({_NUMBER}\)|[+-]?{_NUMBER}[dD][+-]?\d+"
)


EXACT = 2.0**53  # from here on float64 has not every whole number
LARGEST_VALUE = 1e150  # of a target: the squares of 1e8 of them still add up in float64


@dataclass(frozen=True)
class Notation:
    """How numbers are written in a text file.

    Attributes:
        decimal: Character before the fraction.
        thousands: Character between groups of three digits; None where there is none.
    """

    decimal: str = "."
    thousands: str | None = None

    @property
    def is_plain(self) -> bool:
        """Whether numbers are written as programs write them."""
        return self.decimal == "." and self.thousands is None

    def number(self, text: str) -> float:
        """Return the number that a text is; NaN where it is none."""
        if self.thousands is not None and self.thousands in text:
            whole, point, fraction = text.partition(self.decimal)
            if not re.fullmatch(rf"[+-]?\d{{1,3}}({re.escape(self.thousands)}\d{{3}})+", whole):
                return float("nan")
            text = whole.replace(self.thousands, "") + point + fraction
        if self.decimal != ".":
            if "." in text:
                return float("nan")
            text = text.replace(self.decimal, ".")
        return float(text) if _PLAIN.fullmatch(text) else float("nan")

    def is_rounded(self, text: str, number: float) -> bool:
        """Return whether a text of digits, without an exponent, is not the number to the last digit."""
        plain = text.strip().replace(self.thousands or "_", "").replace(self.decimal, ".")
        return _DIGITS.fullmatch(plain) is not None and Decimal(plain) != Decimal(number)

    def advice(self, texts: list[str]) -> str:
        """Return how to have texts read as numbers that are written in another notation; "" when they are not.

        Args:
            texts: Different entries of a column that are no numbers in this notation.
        """
        if self.decimal == "." and _most(_DECIMAL_COMMA, texts):
            is_grouped = _most(re.compile(r"[+-]?\d{1,3}(,\d{3})+"), texts)
            also = ", or data.thousands=',' where the comma groups digits" if is_grouped else ""
            return f"numbers with a comma: set data.decimal=','{also}; data.categorical takes them as text"
        if self.thousands is None and _most(_THOUSANDS, texts):
            return (
                "numbers with grouped digits: set data.thousands to the character; data.categorical takes them as text"
            )
        return ""


def is_dressed(texts: list[str]) -> bool:
    """Return whether most texts are numbers with other characters: 5%, $5, (5), 5D+02."""
    return _most(_DRESSED, texts)


def is_code(text: str) -> bool:
    """Return whether a text of digits begins with zeros that a number would lose."""
    return _CODE.fullmatch(text) is not None


def is_whole(text: str) -> bool:
    """Return whether a text is a whole number without a leading zero, of any length."""
    return _WHOLE.fullmatch(text) is not None


def _most(pattern: re.Pattern, texts: list[str]) -> bool:
    return bool(texts) and 2 * sum(pattern.fullmatch(text) is not None for text in texts) > len(texts)
