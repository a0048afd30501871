"""Numbers in words: significant digits, durations, and nouns in their number."""

from collections.abc import Sequence
from itertools import pairwise

DIGITS = 4
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def significant(value: float | None, digits: int = DIGITS) -> str:
    """Return a number at so many significant digits, 0.9667, 1.000, 1234, 1.235e+05; None, as JSON has NaN, as such."""
    if value is None:
        return "not finite"
    text = f"{value:#.{digits}g}"
    return text.removesuffix(".").replace(".e", "e")


def decimal(value: float | None, sign: str = "-") -> str:
    """Return a measured value with four decimals, 0.9667, or as `significant` where those would hide or swell it.

    That is below 0.0005, 2.757e-08, and from a million, 8.111e+19.

    Args:
        value: Any unit; None, as JSON has NaN and infinity, is "not finite".
        sign: "+" writes it also before what is positive.
    """
    if value is None:
        return significant(value)
    is_plain = value == 0 or 0.0005 <= abs(value) < 1e6 or value != value or abs(value) == float("inf")
    text = f"{value + 0.0:.4f}" if is_plain else significant(value)  # of -0.0 that is 0.0
    return f"+{text}" if sign == "+" and value >= 0 else text


def between(ends: Sequence[float | None], sign: str = "-") -> str:
    """Return an interval, -0.0100 to 0.0300, or that there is none, as where folds, or resamples, are all equal.

    Args:
        ends: Low and high, None or NaN without one.
        sign: As in `decimal`.
    """
    if any(end is None or end != end for end in ends):
        return "no interval"
    return " to ".join(decimal(end, sign) for end in ends)


def duration(seconds: float) -> str:
    """Return a time in its two largest units: 0.03 s, 4.2 s, 34 s, 2 min 5 s, 2 h 36 min, 3 d 4 h."""
    if seconds < 1:
        return f"{seconds:.1g} s"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    rest = round(seconds)
    for (size, name), (below, below_name) in pairwise(_UNITS):
        if rest >= size:
            whole, less = divmod(rest, size)
            smaller = round(less / below)
            if smaller * below == size:
                return duration((whole + 1) * size)
            return f"{whole} {name} {smaller} {below_name}" if smaller else f"{whole} {name}"
    return f"{rest} s"


def noun(number: float, singular: str) -> str:
    """Return a number with its noun: 1 epoch, 1,200 epochs."""
    return f"{number:,} {singular if number == 1 else plural(singular)}"


def plural(singular: str) -> str:
    """Return the plural of a noun: epochs, classes, categories."""
    if singular.endswith(("s", "x", "sh", "tch")):
        return f"{singular}es"
    if singular.endswith("y") and singular[-2] not in "aeiou":
        return f"{singular[:-1]}ies"
    return f"{singular}s"
