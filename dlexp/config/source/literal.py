"""Values that are texts as they were typed: where a key takes a text, nobody has to quote it for Hydra's grammar."""

import re
import shlex
from contextlib import suppress
from dataclasses import replace
from typing import Any

from dlexp.config.override import Override, override_of
from dlexp.config.signature import Parameter, declaration
from dlexp.config.wording import show, yaml_value
from dlexp.error import ConfigError


def takes_text(parameter: Parameter) -> bool:
    """Return whether a parameter takes any text, alone and not in a list."""
    kinds = [kind.strip() for kind in parameter.text.split("|")]
    return any(kind in ("str", "Name", "Place") for kind in kinds)


def as_option(override: Override, groups: dict[str, list[str]]) -> Override:
    """Return an override of a group with the option's name as text: a user's file may be called 2024.yaml."""
    name = override.raw.strip()
    is_number = isinstance(override.value, int | float)
    return replace(override, value=name) if is_number and name in groups.get(override.key, ()) else override


def as_declared(override: Override, config: dict[str, Any]) -> Override:
    """Return an override with its value as it was typed, where its key takes a text.

    ``data.path=x,y.csv`` is then no sweep expression, and ``data.target=007`` not the number 7.

    Args:
        override: Of a key, not of a group.
        config: With the options that are chosen.

    Raises:
        ConfigError: It is a sweep expression of a key that takes no text.
    """
    parameter = None
    if override.is_sweep or isinstance(override.value, bool | int | float | list):
        with suppress(ConfigError):  # the check says what is wrong with a class
            parameter = declaration(config, override.key)
    if parameter is not None and takes_text(parameter) and override.action != "delete":
        is_other = isinstance(override.value, bool | int | float) and not re.search(
            r"\b(int|float|bool)\b", parameter.text
        )
        if override.is_sweep or is_other:
            return replace(override, value=override.raw.strip(), is_sweep=False, sweep=None)
    if override.is_sweep:
        raise no_sweep(override, parameter)
    if parameter is not None and re.search(r"\blist\[(Name|str)\]", parameter.text):
        return replace(override, value=_texts(override))
    return override


def _texts(override: Override) -> Any:
    """Return a list of names with its numbers as they were typed: the column ``1.10`` is not ``1.1``."""
    values, items = override.value, override.raw.strip()[1:-1].split(",")
    if not isinstance(values, list) or len(items) != len(values) or re.search(r"[\[{'\"\\]", "".join(items)):
        return values
    pairs = zip(items, values, strict=True)
    return [item.strip() if isinstance(value, bool | int | float) else value for item, value in pairs]


def no_sweep(override: Override, parameter: Parameter | None = None) -> ConfigError:
    """Return the error of a sweep expression where one value is needed, with the form to type."""
    name, _, expression = override.text.partition("=")
    typed = show(f"{name}={shlex.quote(expression)}")
    got = f"{override.key}: got the sweep expression {show(override.text)}"
    search = f"use `dlexp sweep {typed}` to search, or `dlexp cv {typed}` to cross-validate each"
    values = override.sweep.values if override.sweep is not None and override.sweep.kind == "choice" else []
    if parameter is not None and re.search(r"\b(list|Widths)\b", parameter.text) and values:
        return ConfigError(f"{got}; a list is written '{override_of(override.key, values)}'; {search}")
    return ConfigError(f"{got}; {search}")


def check_searched_text(override: Override) -> None:
    """Refuse a list of texts that Hydra's grammar does not read, where it might be meant to be searched.

    Raises:
        ConfigError: The form to type is printed.
    """
    texts = [text.strip() for text in override.raw.split(",")]
    if override.is_literal and len(texts) > 1 and all(texts):
        quoted = ",".join(yaml_value(text) for text in texts)
        raise ConfigError(
            f"{override.key}: got {show(override.raw)}; type {shlex.quote(f'{override.key}={quoted}')} to search, or "
            f"{shlex.quote(override_of(override.key, override.raw))} for one text"
        )
