"""Numbers and runs in the words of a page."""

from collections.abc import Sequence

from dlexp.number import decimal, significant

_PERCENT = ("accuracy", "top5_accuracy", "balanced_accuracy")


def score(metric: str, value: float | None) -> str:
    """Return a value of a metric: accuracies in percent, 97.5 %, others as `dlexp.number.decimal`.

    Args:
        metric: With or without part.
        value: None is "not finite".
    """
    if value is not None and metric.rpartition("/")[2] in _PERCENT:
        return f"{significant(100 * value, 3) if abs(value) < 1 else f'{100 * value:.0f}'} %"
    return decimal(value)


def span(metric: str, ends: Sequence[float | None] | None) -> str:
    """Return an interval, 95.3 to 98.7 %; "" without one."""
    if ends is None or len(ends) != 2 or any(end is None or end != end for end in ends):
        return ""
    low, high = (score(metric, end) for end in ends)
    return f"{low.removesuffix(' %')} to {high}"


def name_of(metric: str) -> str:
    """Return a metric's name without its part, in words: "accuracy", "f1 macro"."""
    return metric.rpartition("/")[2].replace("_", " ")


def listed(words: Sequence[str], last: str = "and") -> str:
    """Return "a", "a and b" or "a, b and c"."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def sentence(text: str) -> str:
    """Return a line of a terminal as a sentence; one that begins with a name, or ends in a command, keeps that."""
    first = text.partition(" ")[0]
    begun = f"{text[0].upper()}{text[1:]}" if first.isalpha() else text
    return begun if begun.endswith(".") or ": dlexp " in begun else f"{begun}."
