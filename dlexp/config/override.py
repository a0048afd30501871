"""Hydra's override grammar, wrapped: the one module that touches its semi-internal parser."""

import re
from dataclasses import dataclass, replace
from typing import Any

import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, IntervalSweep, OverrideType, RangeSweep
from hydra.core.override_parser.types import Override as HydraOverride
from hydra.errors import HydraException

from dlexp.config.wording import show, yaml_value
from dlexp.error import ConfigError
from dlexp.number import noun

SHORT = {
    "init_from": "init_from.run",
    "freeze": "freeze.layers",
}  # what a node's own key sets, unless it is given a node
MAX_LENGTH = 10_000  # the grammar's parser needs seconds for longer ones


@dataclass(frozen=True)
class Sweep:
    """A sweep expression as Hydra's grammar has it, not yet judged: see `dlexp.config.space`.

    Attributes:
        kind: "choice", "range", "interval", or the name of another form.
        values: The choices; [start, stop, step] of a range, [start, end] of an interval.
        tags: Words of ``tag(...)``.
        is_shuffled: Whether ``shuffle(...)`` was asked for.
    """

    kind: str
    values: list[Any]
    tags: frozenset[str]
    is_shuffled: bool


@dataclass(frozen=True)
class Override:
    """One parsed argument such as ``optimizer.lr=0.1``.

    Attributes:
        text: What the user wrote.
        key: Config path or group, for example ``optimizer.lr`` or ``model``.
        value: The plain value; None for a deletion or a sweep.
        action: "change", "add" (``+key=``), "force" (``++key=``: either) or "delete" (``~key``).
        is_sweep: Whether the value is a sweep expression (``a,b``, ``range(…)``, ``interval(…)``).
        sweep: That expression.
        raw: What stands behind the sign of equality, as it was typed.
        is_literal: Whether the grammar refused the value, so that it is the text as it was typed.
    """

    text: str
    key: str
    value: Any
    action: str
    is_sweep: bool
    sweep: Sweep | None = None
    raw: str = ""
    is_literal: bool = False


def parse(texts: list[str]) -> list[Override]:
    """Parse command-line overrides.

    Args:
        texts: Arguments in Hydra's override grammar.

    Raises:
        ConfigError: An argument is no override, too long, or meant for Hydra's own runtime. A value that the grammar
            refuses is the text as it was typed.
    """
    parser = OverridesParser.create()
    parsed = [_in_full(_parse_one(parser, text)) for text in texts]
    for i, override in enumerate(parsed):
        if any(other.key == override.key for other in parsed[:i]):
            raise ConfigError(f"{show(override.key)}: got two values; the first would have no effect, so remove one")
    return parsed


def _in_full(override: Override) -> Override:
    """Return an override with its key in full, such as ``freeze.layers`` for ``freeze=[hidden*]``."""
    is_short = override.key in SHORT and override.action != "delete" and not isinstance(override.value, dict)
    return replace(override, key=SHORT[override.key]) if is_short else override


def _check_form(text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise ConfigError(
            f"override {text[:30]}...: got {noun(len(text), 'character')}; at most {MAX_LENGTH} are allowed"
        )
    if not text.lstrip("~+").partition("=")[0].strip():
        raise ConfigError(f"'{show(text)}': not an override; write key=value, for example optimizer.lr=0.1")
    if text.endswith((".yaml", ".yml")) and "=" not in text:
        raise ConfigError(
            f"'{show(text)}': got a file; pass its folder with --config-dir and choose it as group=option"
        )


def _parse_one(parser: OverridesParser, text: str) -> Override:
    _check_form(text)
    key, _, raw = text.partition("=")
    if raw and not raw.strip():
        return _literal(text, key.strip(), raw)  # a tab, which the grammar would drop
    try:
        parsed = parser.parse_override(text)
    except HydraException:
        return _literal(text, key.strip(), raw)
    except (ValueError, RecursionError):  # a number of thousands of digits, brackets nested too deeply
        raise ConfigError(f"'{show(text)}': got a value that cannot be read; shorten it") from None
    key = parsed.key_or_group
    if key.split(".")[0].split("/")[0] == "hydra":
        raise ConfigError(f"{show(key)}: Hydra's runtime settings do not apply here; remove it")
    if parsed.package is not None:
        raise ConfigError(f"{show(text)}: packages (@) are not used here; write {show(key)}=...")
    return Override(text, key, _value(parsed), _action(parsed), parsed.is_sweep_override(), _sweep(parsed), raw)


def _literal(text: str, key: str, raw: str) -> Override:
    """Return an override whose value the grammar refuses, such as ``data.path=my data (1).csv``, taken as it stands."""
    action = "force" if key.startswith("++") else "add" if key.startswith("+") else "change"
    key = key.lstrip("+")
    if not re.fullmatch(r"\w+(\.\w+)*", key) or not raw:
        raise ConfigError(f"'{show(text)}': not an override; write key=value, for example optimizer.lr=0.1")
    return Override(text, key, _flow_list(raw) or raw, action, is_sweep=False, raw=raw, is_literal=True)


def _flow_list(raw: str) -> list[Any] | None:
    """Return the values of a list such as ``[цель,b]``; None where there is none."""
    if not raw.startswith("[") or "&" in raw or "*" in raw:  # no aliases
        return None
    try:
        items = yaml.safe_load(raw)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    is_flat = isinstance(items, list) and all(isinstance(item, str | int | float | None) for item in items)
    return items if is_flat else None


def _action(parsed: HydraOverride) -> str:
    assert parsed.type is not None
    return {OverrideType.DEL: "delete", OverrideType.ADD: "add", OverrideType.FORCE_ADD: "force"}.get(
        parsed.type, "change"
    )


def _value(parsed: HydraOverride) -> Any:
    if parsed.type is OverrideType.DEL or parsed.is_sweep_override():
        return None
    return _plain(parsed.value())


def _plain(value: Any) -> Any:
    return value.text if type(value).__name__ == "QuotedString" else value


def _sweep(parsed: HydraOverride) -> Sweep | None:
    if not parsed.is_sweep_override():
        return None
    sweep: Any = parsed._value
    if isinstance(sweep, ChoiceSweep):
        kind, values = "choice", [_plain(value) for value in sweep.list]
    elif isinstance(sweep, RangeSweep):
        kind, values = "range", [sweep.start, sweep.stop, sweep.step]
    elif isinstance(sweep, IntervalSweep):
        kind, values = "interval", [sweep.start, sweep.end]
    else:
        kind, values = type(sweep).__name__.lower(), []
    return Sweep(kind, values, frozenset(getattr(sweep, "tags", ())), bool(getattr(sweep, "shuffle", False)))


def override_of(key: str, value: Any) -> str:
    """Return the override that sets a key to a value, whatever characters the value has."""
    return f"{key}={yaml_value(value)}"
