"""Times as people write them, in order: numbers and ISO 8601 dates by themselves, other forms when they are stated."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from dlexp.data.file.dialect import Dialect
from dlexp.data.file.number import is_whole

_MONTH = re.compile(r"\d{4}-\d\d")
_FINE = re.compile(r"(.*:\d\d[.,]\d{6})(\d+)(.*)")
WANTED = (
    "a number or an ISO date (2021-12-31, 2021-12-31 23:59) is needed, or the form of all, for example "
    "data.time_format='%d/%m/%Y'"
)


def ranks(texts: list[str], form: str | None, dialect: Dialect) -> list[int | None]:
    """Return the place of each text in the order of time, equal for equal moments; None where it cannot be parsed.

    Args:
        texts: Different entries.
        form: As ``datetime.strptime`` takes it; None for numbers or ISO dates.
        dialect: How numbers are written.
    """
    if form is not None:
        return _ranked(texts, lambda text: _stated(text, form))
    if _are_days_without_marks(texts):
        return [None] * len(texts)
    places = _ranked(texts, lambda text: _number(text, dialect))
    if None in places:
        dates = _ranked(texts, _date)
        places = min(places, dates, key=lambda ranked: ranked.count(None))
    return places


def _ranked(texts: list[str], parse: Callable[[str], Any]) -> list[int | None]:
    values = []
    for text in texts:
        try:
            values.append(parse(text))
        except (ValueError, OverflowError):
            values.append(None)
    place = {value: i for i, value in enumerate(sorted({value for value in values if value is not None}))}
    return [None if value is None else place[value] for value in values]


def _stated(text: str, form: str) -> float:
    moment = datetime.strptime(text, form)
    # 1122021 is the 1st or the 11th: digits without marks between them have to be as many as the form has
    if text.isdecimal() and moment.strftime(form) != text:
        raise ValueError
    offset = moment.utcoffset()
    span = moment - datetime(1970, 1, 1, tzinfo=moment.tzinfo)
    return span.total_seconds() - (0 if offset is None else offset.total_seconds())


def _are_days_without_marks(texts: list[str]) -> bool:
    """Return whether all are days with the year last (31122021), which as numbers would not be in order."""
    digits = [text.zfill(8) for text in texts if text.isdecimal() and len(text) in (7, 8)]
    is_counter = len({text[:4] for text in digits}) < 2
    return len(digits) == len(texts) and not is_counter and all(map(_has_its_year_last, digits))


def _has_its_year_last(digits: str) -> bool:
    def is_day(form: str) -> bool:
        try:
            return 1900 <= datetime.strptime(digits, form).year < 2100
        except ValueError:
            return False

    return (is_day("%d%m%Y") or is_day("%m%d%Y")) and not is_day("%Y%m%d")


def _number(text: str, dialect: Dialect) -> int | float:
    if is_whole(text):
        return int(text)  # exact, and compares exactly with floats
    number = dialect.notation.number(text)
    if not abs(number) < float("inf"):
        raise ValueError
    return number


def _date(text: str) -> tuple[float, str]:
    """Return seconds, and the digits after the microseconds; a time without a zone counts as UTC."""
    if _MONTH.fullmatch(text):
        text += "-01"
    fine = _FINE.fullmatch(text)
    head, digits = (fine[1] + fine[3], fine[2]) if fine else (text, "")
    if re.fullmatch(r"\d+", head):
        raise ValueError
    moment = datetime.fromisoformat(head)
    zero = datetime(1970, 1, 1, tzinfo=moment.tzinfo)
    offset = moment.utcoffset()
    span = moment - zero
    seconds = span.days * 86400 * 10**6 + span.seconds * 10**6 + span.microseconds
    return seconds - (0 if offset is None else int(offset.total_seconds() * 10**6)), digits.rstrip("0")
