"""The language of ``dlexp runs --filter``: comparisons of a run's fields, joined by and, or and parentheses.

    expression := conjunction ("or" conjunction)*
    conjunction := term ("and" term)*
    term := "(" expression ")" | name operator value
    operator := "=" | "==" | "!=" | "<" | "<=" | ">" | ">="

A name is ``metrics.val/accuracy``, ``params.optimizer.lr`` or a field such as ``status``. A value is a number, a word
or a quoted text. Numbers are compared as numbers, all else as text; a run without the field never matches. Of tags one
that matches is enough.
"""

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from dlexp.error import ConfigError, did_you_mean

FIELDS = (
    "run_id",
    "experiment",
    "kind",
    "status",
    "task",
    "device",
    "seed",
    "start",
    "end",
    "seconds",
    "epochs",
    "planned_epochs",
    "num_params",
    "metric",
    "value",
    "slug",
    "validated_on",
    "note",
    "tags",
)
Condition = Callable[[Mapping[str, Any]], bool]
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"[^"]*"|'[^']*'|`[^`]*`)|(?P<sign><=|>=|==|!=|[=<>()])|(?P<word>[^\s=<>!()"'`]+))"""
)


def parse(text: str) -> Condition:
    """Return the condition that a text states.

    Raises:
        ConfigError: The text is not an expression, or names an unknown field.
    """
    parser = _Parser(_tokens(text), text)
    condition = parser.expression()
    parser.end()
    return condition


def names(text: str) -> list[str]:
    """Return the names of fields that an expression compares."""
    parser = _Parser(_tokens(text), text)
    parser.expression()
    return parser.names


def require_any(names: Iterable[str], records: Sequence[Mapping[str, Any]], where: str) -> None:
    """Refuse a metric or param that no run has, where there are runs: it is misspelt.

    Raises:
        ConfigError: One is unknown.
    """
    for name in names:
        group = name.partition(".")[0]
        if records and group in ("metrics", "params") and all(value_of(record, name) is None for record in records):
            known = {f"{group}.{key}" for record in records for key in record[group]}
            raise ConfigError(f"{where}: got {name}; no run has it{did_you_mean(name, known)}")


def value_of(record: Mapping[str, Any], name: str) -> Any:
    """Return a field of a run's record by name; None when the run lacks it."""
    group, _, key = name.partition(".")
    if group in ("metrics", "params") and key:
        return record[group].get(key)
    return record.get(name)


def check_name(name: str, where: str) -> str:
    """Return a name that a run can have.

    Raises:
        ConfigError: It is neither a metric nor a param nor a field.
    """
    if name.partition(".")[0] in ("metrics", "params") and name.partition(".")[2]:
        return name
    if name not in FIELDS:
        allowed = f"metrics.NAME, params.KEY or one of {', '.join(FIELDS)}"
        raise ConfigError(f"{where}: got {name}; choose {allowed}{did_you_mean(name, FIELDS)}")
    return name


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, position = [], 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None:
            raise _fault(text, text[position:].strip())
        tokens.append((str(match.lastgroup), match.group(str(match.lastgroup))))
        position = match.end()
    return tokens


def _fault(text: str, near: str) -> ConfigError:
    example = "write it like metrics.val/accuracy > 0.9 and params.model = cnn"
    return ConfigError(f"--filter: got {text!r}, not understood at {near or 'its end'!r}; {example}")


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]], text: str) -> None:
        self.tokens, self.text = tokens, text
        self.names: list[str] = []

    def expression(self) -> Condition:
        alternatives = [self._conjunction()]
        while self._skip("or"):
            alternatives.append(self._conjunction())
        return lambda record: any(holds(record) for holds in alternatives)

    def end(self) -> None:
        if self.tokens:
            raise _fault(self.text, self.tokens[0][1])

    def _conjunction(self) -> Condition:
        terms = [self._term()]
        while self._skip("and"):
            terms.append(self._term())
        return lambda record: all(holds(record) for holds in terms)

    def _term(self) -> Condition:
        if self._skip("("):
            inside = self.expression()
            if not self._skip(")"):
                raise _fault(self.text, self._next())
            return inside
        name = check_name(self._take("word", "text").strip("\"'`"), "--filter")
        self.names.append(name)
        sign = self._take("sign")
        if sign not in _OPERATORS:
            raise _fault(self.text, sign)
        wanted = self._take("word", "text").strip("\"'`")
        if name == "tags":
            return lambda record: any(_compare(tag, _OPERATORS[sign], wanted) for tag in record.get("tags", []))
        return lambda record: _compare(value_of(record, name), _OPERATORS[sign], wanted)

    def _next(self) -> str:
        return self.tokens[0][1] if self.tokens else ""

    def _skip(self, token: str) -> bool:
        is_there = bool(self.tokens) and self.tokens[0][0] != "text" and self._next().lower() == token
        if is_there:
            self.tokens.pop(0)
        return is_there

    def _take(self, *kinds: str) -> str:
        if not self.tokens or self.tokens[0][0] not in kinds:
            raise _fault(self.text, self._next())
        return self.tokens.pop(0)[1]


def _compare(value: Any, compare: Callable[[Any, Any], bool], wanted: str) -> bool:
    if value is None:
        return False
    try:
        return compare(float(value), float(wanted))
    except (TypeError, ValueError):
        return compare(str(value), wanted)
