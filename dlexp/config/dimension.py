"""One dimension of a search space, from Hydra's sweep grammar; what cannot be searched is refused with the reason."""

import glob
import math
import os
import shlex
from dataclasses import dataclass, replace
from typing import Any, get_args

from dlexp.config.override import Override, Sweep, override_of
from dlexp.config.wording import show, yaml_value
from dlexp.error import ConfigError, did_you_mean
from dlexp.number import noun

MAX_CHOICES = 100_000
_EXAMPLE = "write a,b or range(0,5) or tag(log,interval(1e-5,1e-1))"


@dataclass(frozen=True)
class Dimension:
    """A key and the values that it may take: listed ones, or all between two ends.

    Attributes:
        key: Config path or group, for example ``optimizer.lr`` or ``model``.
        text: What the user wrote.
        values: Listed values, in order; None for an interval.
        low: Lower end of an interval.
        high: Upper end, included.
        is_log: Whether distances are those of logarithms.
        is_int: Whether only integers are meant.
        limits: Least and greatest value that the parameter allows.
        owner: The searched group whose option decides whether the key exists; "" when it always does.
        options: The options with which it exists.
    """

    key: str
    text: str
    values: list[Any] | None = None
    low: float = math.nan
    high: float = math.nan
    is_log: bool = False
    is_int: bool = False
    limits: tuple[float, float] = (-math.inf, math.inf)
    owner: str = ""
    options: frozenset[str] = frozenset()

    @property
    def group(self) -> str:
        """First word of the key."""
        return self.key.partition(".")[0]

    def exists(self, settings: dict[str, Any]) -> bool:
        """Say whether the key exists under the options chosen in a setting."""
        return not self.owner or settings.get(self.owner) in self.options

    def value(self, position: float) -> Any:
        """Return the value at a position in [0, 1): the ends of an interval are 0 and 1.

        Integers share the positions equally: each is the floor of a point of [low, high + 1).
        """
        if self.values is not None:
            return self.values[min(int(position * len(self.values)), len(self.values) - 1)]
        low, high = self.span
        point = low + position * (high - low)
        number = math.exp(point) if self.is_log else point
        if self.is_int:
            return int(min(max(math.floor(number), self.low), self.high))
        return min(max(number, self.low), self.high)

    @property
    def span(self) -> tuple[float, float]:
        """The ends on the scale of distances; an integer's upper end is that of its share."""
        high = self.high + 1 if self.is_int else self.high
        return (math.log(self.low), math.log(high)) if self.is_log else (self.low, high)

    def place(self, value: float) -> float:
        """Return a value on the scale of distances; an integer lies in the middle of its share."""
        number = value + 0.5 if self.is_int else value
        return math.log(number) if self.is_log else float(number)


def read(override: Override, *, may_repeat: bool = False) -> Dimension:
    """Return the dimension that an override with a sweep expression describes.

    Args:
        override: With the expression.
        may_repeat: Whether a value may stand there twice, as far as this goes: it may be meant for one list.

    Raises:
        ConfigError: The expression is no set of values that can be searched.
    """
    sweep = override.sweep
    assert sweep is not None
    key = override.key
    if override.action != "change":
        raise _refuse(override, "only keys that are there can be searched; remove the + or ~")
    if sweep.tags - {"log"}:
        raise _refuse(override, f"the tag {sorted(sweep.tags - {'log'})[0]} means nothing here; only log is known")
    if sweep.is_shuffled:
        raise _refuse(override, "shuffle has no effect: the search has its own order; remove it")
    is_log = "log" in sweep.tags
    if sweep.kind == "interval":
        return _interval(override, sweep, is_log)
    if sweep.kind == "range":
        values = _range(override, sweep)
    elif sweep.kind == "choice":
        values = _choices(override, sweep)
    else:
        raise _refuse(override, f"{sweep.kind} is no set of values; {_EXAMPLE}")
    if is_log and not all(_is_number(value) and value > 0 for value in values):
        raise _refuse(override, "a logarithmic scale needs numbers > 0; remove the tag or those values")
    listed = Dimension(key, override.text, values=values, is_log=is_log)
    require_distinct(replace(listed, values=[]) if may_repeat else listed)
    return listed


def _interval(override: Override, sweep: Sweep, is_log: bool) -> Dimension:
    low, high = sweep.values
    if not (math.isfinite(low) and math.isfinite(high)):
        raise _refuse(override, "both ends of an interval must be finite numbers")
    if low > high:
        raise _refuse(override, f"low <= high must hold; write interval({high:g},{low:g})")
    if low == high:
        raise _refuse(override, f"an interval of one point; write {override.key}={low:g}")
    if is_log and low <= 0:
        raise _refuse(override, "a logarithmic scale needs low > 0; raise the lower end or remove the tag")
    is_int = isinstance(low, int) and isinstance(high, int)
    return Dimension(override.key, override.text, low=low, high=high, is_log=is_log, is_int=is_int)


def _range(override: Override, sweep: Sweep) -> list[Any]:
    start, stop, step = sweep.values
    if not all(math.isfinite(value) for value in sweep.values):
        raise _refuse(override, "start, stop and step of a range must be finite numbers")
    if step == 0:
        raise _refuse(override, "a range with step 0 never ends; give another step")
    # the tolerance keeps the stop out: adding 0.3 three times gives 0.8999999999999999, which is below 0.9
    count = math.ceil((stop - start) / step - 1e-9)
    if count < 1:
        raise _refuse(override, "an empty range; start must lie before stop in the direction of step")
    if count > MAX_CHOICES:
        raise _refuse(
            override, f"{noun(count, 'value')}; at most {MAX_CHOICES:,} are possible, an interval has no limit"
        )
    if all(isinstance(value, int) for value in sweep.values):
        return [start + i * step for i in range(count)]
    return [float(f"{start + i * step:.12g}") for i in range(count)]


def _choices(override: Override, sweep: Sweep) -> list[Any]:
    values = sweep.values
    if any(type(value).__module__.startswith("hydra") for value in values):
        raise _refuse(override, f"choices and ranges cannot be mixed; {_EXAMPLE}")
    if any(_is_number(value) and not math.isfinite(value) for value in values):
        raise _refuse(override, "choices must be finite numbers")
    return values


def require_distinct(d: Dimension) -> None:
    """Refuse a value that is listed twice.

    Raises:
        ConfigError: There is such a value.
    """
    seen: set[Any] = set()
    for value in d.values or []:
        if (hashable := (type(value), _hashable(value))) in seen:
            expression = show(d.text.partition("=")[2])
            raise ConfigError(f"{d.key}: got {expression}; {show(value)} is there twice; remove one")
        seen.add(hashable)


def _hashable(value: Any) -> Any:
    """Return a value of YAML as one that is equal to its equals and can be hashed."""
    if isinstance(value, list):
        return tuple(_hashable(item) for item in value)
    if isinstance(value, dict):
        return frozenset((name, _hashable(item)) for name, item in value.items())
    return value


def require_paths(d: Dimension) -> None:
    """Refuse data that are searched where one of them is absent: a comma may belong to a file's name.

    Raises:
        ConfigError: The form to type for one file of that name is printed.
    """
    if d.key != "data.path":
        return
    for value in d.values or []:
        path = os.path.expanduser(str(value))
        if not (os.path.exists(path) or glob.glob(path)):
            raw = d.text.partition("=")[2]
            typed = shlex.quote(f"{d.key}={yaml_value(raw)}")
            raise ConfigError(
                f"{d.key}: got {show(raw)}, a search over paths, and {show(value)} is absent; type {typed} for one "
                "file of that name"
            )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _refuse(override: Override, reason: str) -> ConfigError:
    return ConfigError(f"{override.key}: got {show(override.text.partition('=')[2])}; {reason}")


def limits_of(annotation: Any, is_int: bool) -> tuple[float, float]:
    """Return the least and the greatest value that an annotation allows; a step inside where an end is excluded."""
    low, high = float("-inf"), float("inf")
    for mark in getattr(annotation, "__metadata__", ()):
        ends = {name: getattr(mark, name, None) for name in ("ge", "gt", "le", "lt")}
        above = None if ends["gt"] is None else ends["gt"] + 1 if is_int else math.nextafter(ends["gt"], math.inf)
        # 1e-6 inside: in float32 the nearest double below 1 is 1
        below = None if ends["lt"] is None else ends["lt"] - (1 if is_int else 1e-6)
        low = max([low, *(end for end in (ends["ge"], above) if end is not None)])
        high = min([high, *(end for end in (ends["le"], below) if end is not None)])
    for argument in get_args(annotation):
        if get_args(argument):
            inner = limits_of(argument, is_int)
            low, high = max(low, inner[0]), min(high, inner[1])
    return low, high


def cure_of(message: str, dimensions: list[Dimension]) -> str:
    """Return what to write for an interval of integers, one of real numbers without ``int(...)``, or for a list."""
    for d in dimensions:
        if message.startswith(f"{d.key}: ") and "${" in message and "${" in d.text:
            return "; a value that is listed to be searched refers to nothing, so write the numbers"
        if (
            message.startswith(f"{d.key}: ")
            and "a list of" in message
            and d.values
            and not isinstance(d.values[0], list)
        ):
            return f"; for one list write {shlex.quote(override_of(d.key, d.values))}"
        if message.startswith(f"{d.key}: ") and "an integer" in message and d.values is None and not d.is_int:
            return f"; write {d.key}='int(interval({d.low:g},{d.high:g}))'"
    return ""


def of_options(d: Dimension, options: list[str]) -> Dimension:
    """Return a dimension of options with their names as texts: a user's file may be called 2024.yaml.

    Raises:
        ConfigError: They are not listed, or there is no such option.
    """
    if d.values is None:
        raise ConfigError(f"{d.key}: got {show(d.text)}; options are listed: {d.key}=a,b")
    names = [str(value) if str(value) in options else value for value in d.values]
    for name in names:
        if name not in options:
            near = did_you_mean(str(name), options)
            raise ConfigError(f"{d.key}: got {show(name)}; choose one of {', '.join(options)}{near}")
    return replace(d, values=names)
