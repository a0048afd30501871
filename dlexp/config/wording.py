"""Types and values in words: a parameter's type from its annotation, a value as an override would have it."""

import math
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dlexp import number

_BARE = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*")  # texts that the override grammar reads as such without quotes
_BEFORE_QUOTE = re.compile(r"(\\*)('|\Z)")  # only backslashes before a quote are escaped
_WORDS = ("null", "true", "false", "nan", "inf")
TYPE_WORDS = {
    "Count": "an integer >= 1",
    "Threads": "an integer in [1, 1024]",
    "NonNegativeInt": "an integer >= 0",
    "Positive": "a number > 0",
    "NonNegative": "a number >= 0",
    "Probability": "a number in [0, 1)",
    "Fraction": "a number in (0, 1)",
    "UnitInterval": "a number in [0, 1]",
    "Finite": "a finite number",
    "Widths": "a list of integers >= 1",
    "int": "an integer",
    "float": "a number",
    "str": "a text",
    "Name": "a text",
    "Place": "a path",
    "bool": "true or false",
    "None": "null",
    "Any": "anything",
    "Component": "a class of a trusted package, by its dotted path or with _target_ and parameters",
}


def type_text(annotation: str) -> str:
    """Return a type in words, for example "a number > 0 or null"; choices as "a|b|c"."""
    return " or ".join(_words(type_.strip()) for type_ in _split(annotation, "|"))


def plural(words: str) -> str:
    """Return "integers >= 1" for "an integer >= 1"."""
    noun, _, rest = words.removeprefix("an ").removeprefix("a ").partition(" ")
    return f"{number.plural(noun)} {rest}".strip()


def _words(text: str) -> str:
    if text.startswith("PerTrial["):
        return type_text(text[9:-1])
    if text.startswith("Annotated["):
        kind, *marks = (item.strip() for item in _split(text[10:-1], ","))
        return f"{type_text(kind)}{_bounds(marks)}"
    if text.startswith("Literal["):
        return text[8:-1].replace("'", "").replace(", ", "|")
    if text.startswith("list["):
        return f"a list of {plural(type_text(text[5:-1]))}"
    return TYPE_WORDS.get(text, text)


def _bounds(marks: list[str]) -> str:
    """Return " >= 2" for Ge(2), " in [0, 180]" for Interval(ge=0, le=180); "" for other marks."""
    bounds: dict[str, str] = {}
    for name, _, arguments in (mark.removesuffix(")").partition("(") for mark in marks):
        if name == "Interval":
            bounds |= dict(item.strip().split("=") for item in arguments.split(","))
        elif name in ("Ge", "Gt", "Le", "Lt"):
            bounds[name.lower()] = arguments
    low = next((bounds[key] for key in ("ge", "gt") if key in bounds), None)
    high = next((bounds[key] for key in ("le", "lt") if key in bounds), None)
    if low is not None and high is not None:
        return f" in {'[' if 'ge' in bounds else '('}{low}, {high}{']' if 'le' in bounds else ')'}"
    sign = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
    return "".join(f" {sign[key]} {value}" for key, value in bounds.items())


def _split(text: str, separator: str) -> list[str]:
    """Split at separators outside brackets."""
    pieces, depth = [""], 0
    for character in text:
        depth += (character in "[(") - (character in "])")
        if character == separator and depth == 0:
            pieces.append("")
        else:
            pieces[-1] += character
    return pieces


def show(value: Any) -> str:
    """Return a value as an override would have it, on one line of at most 60 characters."""
    if isinstance(value, float) and not math.isfinite(value):
        return f"{value} (not finite)"
    text = _show_text(value) if isinstance(value, str) else " ".join(yaml_value(value).split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def _show_text(value: str) -> str:
    """Return a text without line breaks; in quotes where it would be read as another type."""
    is_other = re.fullmatch(r"|null|true|false|[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", value, re.IGNORECASE)
    return f"'{value}'" if is_other else repr(value)[1:-1]


def yaml_value(value: Any) -> str:
    """Return a value as Hydra's override grammar reads it back."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list):
        return f"[{','.join(yaml_value(item) for item in value)}]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{name}:{yaml_value(item)}" for name, item in value.items()) + "}"
    if isinstance(value, str) and (not _BARE.fullmatch(value) or value.lower() in _WORDS):
        return f"'{_BEFORE_QUOTE.sub(_escape, value)}'"
    return repr(value) if isinstance(value, float) else str(value)


def _escape(match: re.Match[str]) -> str:
    return match[1] * 2 + (f"\\{match[2]}" if match[2] else "")


def command_line(command: str, words: list[str], config_dir: Path | None = None) -> str:
    """Return a command as a shell takes it, with the user's folder of YAML files and every word quoted."""
    folder = [] if config_dir is None else ["--config-dir", str(config_dir)]
    return shlex.join(["dlexp", command, *folder, *words])


def short_metric(metric: str) -> str:
    """Return ``val acc`` for ``val/accuracy``."""
    return metric.replace("/accuracy", " acc").replace("/", " ")


def setting_text(setting: Mapping[str, Any], *, is_short: bool = False) -> str:
    """Return a setting in one line: ``optimizer.lr=9.47e-04 model=mlp``; in short ``lr: 9.47e-04, model: mlp``."""
    if not is_short:
        return " ".join(f"{key}={short_value(value)}" for key, value in setting.items())
    return ", ".join(f"{short_key(key, list(setting))}: {short_value(value)}" for key, value in setting.items())


def short_key(key: str, keys: list[str]) -> str:
    """Return the last word of a key, or the whole one where two would look the same."""
    short = "reg" if key == "regularizer.weight" else key.rpartition(".")[2]
    others = [other.rpartition(".")[2] for other in keys if other != key]
    return key if short in others else short


def short_value(value: Any) -> str:
    """Return a value in few characters: 9.47e-04 for one that was drawn, 0.5, relu, [64,64]."""
    if isinstance(value, float):
        is_short = value == 0 or (float(f"{value:.3g}") == value and 1e-3 <= abs(value) < 1e4)
        return f"{value:.4g}" if is_short else f"{value:.2e}"
    return "null" if value is None else str(value).replace(" ", "").replace("'", "")
