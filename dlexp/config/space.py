"""A search space: the overrides of a sweep, split into what is fixed, what is searched and what is repeated.

A dimension of one option only (momentum of ``optimizer=momentum``) exists in the settings that choose the option. The
key ``seed`` is no dimension: its values are replicates of every setting.
"""

import copy
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dlexp.config import catalog, dimension
from dlexp.config.check import check, check_value
from dlexp.config.compose import Composed, compose, resolve_again
from dlexp.config.dimension import Dimension, cure_of, limits_of, of_options, require_distinct, require_paths
from dlexp.config.key import unknown_key
from dlexp.config.override import Override, override_of, parse
from dlexp.config.rule.owner import owner_of, require_other
from dlexp.config.signature import ROOT, Parameter, declaration, read
from dlexp.config.source.environment import with_references
from dlexp.config.source.literal import check_searched_text
from dlexp.config.wording import show
from dlexp.error import ConfigError, did_you_mean

Settings = dict[str, Any]
JOB_GROUPS = ("search", "launcher")
MAX_CHECKED = 200  # combinations of options that are composed before the first trial


@dataclass
class Space:
    """What is searched, and how a setting becomes a configuration.

    Attributes:
        dimensions: Searched keys, those that choose options first.
        seeds: The seeds that every setting is trained with; empty for the one of the configuration.
        fixed: Overrides without sweep expressions.
        config_dir: The user's folder of YAML files.
        job: Whose configuration is composed: "sweep" or "cv".
    """

    dimensions: list[Dimension]
    seeds: list[int]
    fixed: list[Override]
    config_dir: Path | None = None
    job: str = "sweep"
    _options: dict[str, list[str]] = field(default_factory=dict)
    _bases: dict[tuple[tuple[str, Any], ...], Composed] = field(default_factory=dict)

    def active(self, settings: Settings) -> list[Dimension]:
        """Return the dimensions that exist under the options chosen in a setting."""
        return [d for d in self.dimensions if d.exists(settings)]

    def groups(self) -> list[Dimension]:
        """Return the dimensions that choose options."""
        if not self._options:
            self._options.update(catalog.list_groups(self.config_dir))  # looks at folders: milliseconds
        return [d for d in self.dimensions if d.key in self._options]

    def compose(self, settings: Settings, seed: int | None = None, **trainer: Any) -> Composed:
        """Return the checked configuration of one setting, in the form of one training run's.

        Args:
            settings: A value for each active dimension.
            seed: The replicate.
            **trainer: Values of the group `trainer` that the search decides.
        """
        base = self.base(settings)
        config = copy.deepcopy(base.config)
        for key, value in settings.items():
            if key not in base.choices:
                _put(config, key, value)
        if seed is not None:
            config["seed"] = seed
        config["trainer"] |= trainer
        config = self._with_references(config, base.references, {*settings, *(f"trainer.{name}" for name in trainer)})
        changed = [o for o in base.changed if o.key.partition(".")[0] not in JOB_GROUPS]
        named = {o.key: replace(o, value=settings.get(o.key, o.value)) for o in changed}
        overrides = [override_of(key, value) for key, value in settings.items()]
        overrides += [f"seed={seed}"] if seed is not None else []
        overrides += [override_of(f"trainer.{key}", value) for key, value in trainer.items()]
        fixed = [o.text for o in self._fixed(settings) if o.key.partition(".")[0] not in JOB_GROUPS]
        written = {text.partition("=")[0] for text in overrides}
        unsearched = [text for text in fixed if text.partition("=")[0] not in written]
        if not any(text.startswith("trainer.threads=") for text in (*unsearched, *overrides)):
            # a sweep has its own default, and numbers depend on it: the trial alone needs it written
            unsearched.append(override_of("trainer.threads", config["trainer"]["threads"]))
        return Composed(config, base.choices, [*unsearched, *overrides], list(named.values()), self.config_dir)

    def _with_references(self, config: dict[str, Any], references: dict[str, Any], given: set[str]) -> dict[str, Any]:
        """Resolve what refers to other values by the values of this setting, and check it."""
        open_keys = {key: text for key, text in references.items() if key not in given}
        resolved = resolve_again(config, open_keys) if open_keys else config
        for key in open_keys:
            parameter, value = declaration(resolved, key), _get(resolved, key)
            _put(resolved, key, value if parameter is None else check_value(key, value, parameter, open_keys[key]))
        return with_references(resolved, open_keys)

    def base(self, settings: Settings) -> Composed:
        """Return the configuration under the options of a setting; composed once for each set of options."""
        chosen = {d.key: settings[d.key] for d in self.groups() if d.key in settings}
        key = tuple(sorted(chosen.items()))
        if key not in self._bases:
            composed = self._compose(chosen)
            config = {name: value for name, value in composed.config.items() if name not in JOB_GROUPS}
            choices = {name: value for name, value in composed.choices.items() if name not in JOB_GROUPS}
            self._bases[key] = replace(composed, config=config, choices=choices)
        return self._bases[key]

    def _compose(self, chosen: Settings) -> Composed:
        """Compose with one value of each dimension: that a setting has an effect can depend on another's value."""
        last = ConfigError("")
        seeds = [None, *self.seeds[:1]]  # a setting may refer to the seed, and no trial has the configuration's
        for seed, position in itertools.product(seeds, (1 - 1e-9, 0.0)):
            others = {d.key: d.value(position) for d in self.active(chosen) if d.key not in chosen}
            texts = [override_of(key, value) for key, value in {**chosen, **others}.items()]
            texts += [override.text for override in self._fixed(chosen)]
            texts += [] if seed is None else [f"seed={seed}"]
            try:
                composed = compose(texts, config_dir=self.config_dir, job=self.job)
                composed = check(composed, catalog.list_groups(self.config_dir))
            except ConfigError as error:
                last = ConfigError(f"{error}{cure_of(str(error), self.dimensions)}")
            else:
                return composed if seed is None else _without_seed(composed)
        raise last

    def _fixed(self, chosen: Settings) -> list[Override]:
        """Return the fixed overrides that exist under the chosen options, where these are searched."""
        existing = []
        searched = {d.key: d for d in self.groups()}
        for override in self.fixed:
            owner, options = owner_of(override.key, searched, self.config_dir)
            if not owner or chosen.get(owner) in options or override.action in ("add", "delete"):
                existing.append(override)
        return existing


def read_space(overrides: list[str], config_dir: Path | None = None, *, job: str = "sweep") -> tuple[Space, Composed]:
    """Return the search space of a sweep's or cv's overrides, and its own configuration.

    Args:
        overrides: Hydra overrides, some of them with sweep expressions.
        config_dir: A user's folder of YAML files.
        job: "sweep" or "cv".

    Raises:
        ConfigError: Nothing to search, or something that cannot be searched.
    """
    parsed = parse(overrides)
    for override in parsed:
        check_searched_text(override)
    written = next((o.value for o in parsed if o.key == "search.space" and not o.is_sweep), None)
    parsed = [override for override in parsed if override.key != "search.space"]
    fixed = [override for override in parsed if not override.is_sweep]
    plain = [o.text for o in fixed if o.key.partition(".")[0] in JOB_GROUPS]
    stated = (
        written if written is not None else compose(plain, config_dir=config_dir, job=job).config["search"]["space"]
    )
    if not isinstance(stated, dict):
        raise ConfigError(f"search.space: got {show(stated)}; a sweep expression for each key: {{optimizer.lr: '1,2'}}")
    keys = {override.key for override in parsed}
    more = parse([f"{key}={text}" for key, text in stated.items() if key not in keys])
    if any(not override.is_sweep for override in more):
        key = next(o.key for o in more if not o.is_sweep)
        raise ConfigError(f"search.space: got one value for {key}; a sweep expression such as 1,2 is needed")
    read_ones = [dimension.read(override, may_repeat=True) for override in [*parsed, *more] if override.is_sweep]
    space = Space([], [], fixed, config_dir, job)
    space.dimensions = _ordered([d for d in read_ones if d.key != "seed"], config_dir)
    space.seeds = _seeds([d for d in read_ones if d.key == "seed"])
    _check_fixed(space)
    if not space.dimensions and not space.seeds:
        raise ConfigError("nothing to search; give at least one sweep expression, for example optimizer.lr=0.01,0.1")
    _check(space)
    for d in read_ones:
        require_distinct(d)
    return space, space._compose(next(combinations(space)))


def _check_fixed(space: Space) -> None:
    """Refuse a fixed key that no searched option has; one that some of them have is used with those.

    Raises:
        ConfigError: Nothing would read it.
    """
    searched = {d.key: d for d in space.groups()}
    for override in space.fixed:
        owner, options = owner_of(override.key, searched, space.config_dir)
        if owner and options and override.action == "add":
            having = f"{owner}={'|'.join(sorted(options))}"
            raise ConfigError(
                f"{show(override.text)}: {having} has {override.key} already; write {override.key}=value without the +"
            )
        if owner and not options and override.action in ("change", "force"):
            group, values = override.key.partition(".")[0], searched[owner].values or []
            known = [
                f"{group}.{name}"
                for o in values
                for name in catalog.read_option(owner, o, space.config_dir)
                if name != "_target_"
            ]
            near = did_you_mean(override.key, known)
            raise ConfigError(f"unknown key {override.key}: none of {owner}={','.join(map(str, values))} has it{near}")


def combinations(space: Space) -> Iterator[Settings]:
    """Yield every combination of the searched options, those that do not exist together left out."""
    groups = space.groups()
    seen = []
    for values in itertools.product(*(d.values or [] for d in groups)):
        chosen = {d.key: value for d, value in zip(groups, values, strict=True)}
        existing = {d.key: chosen[d.key] for d in groups if d.exists(chosen)}
        if existing not in seen:
            seen.append(existing)
            yield existing


def _ordered(dimensions: list[Dimension], config_dir: Path | None) -> list[Dimension]:
    """Put options first and note which of them have each of the other keys."""
    groups = catalog.list_groups(config_dir)
    dimensions = [of_options(d, groups[d.key]) if d.key in groups else d for d in dimensions]
    searched = {d.key: d for d in dimensions if d.key in groups}
    for d in dimensions:
        if d.group in JOB_GROUPS or d.group in ("cv", "tracking", "runs_dir", "trusted"):
            raise ConfigError(f"{d.key}: got {show(d.text)}; what a sweep or cv is run with cannot be searched")
    placed = []
    for d in dimensions:
        owner, options = owner_of(d.key, searched, config_dir)
        if owner and not options:
            raise unknown_key(d.key, [d.group], groups, config_dir)
        placed.append(replace(d, owner=owner, options=options))
    # a key is drawn after the option that decides whether it exists
    return sorted(placed, key=lambda d: (d.key not in searched, bool(d.owner)))


def _seeds(seed_dimensions: list[Dimension]) -> list[int]:
    if not seed_dimensions:
        return []
    values = seed_dimensions[0].values
    if values is None:
        raise ConfigError(
            f"seed: got {show(seed_dimensions[0].text)}; seeds are listed: seed='range(0,5)' or seed=0,1,2"
        )
    parameter = read(ROOT).parameters["seed"]
    return [check_value("seed", value, parameter) for value in values]


def _check(space: Space) -> None:
    """Compose every combination of options and check every value against the parameter that takes it."""
    checked: dict[str, Dimension] = {}
    seen: dict[str, Settings] = {}
    for chosen in itertools.islice(combinations(space), MAX_CHECKED):
        base, active = space.base(chosen), space.active(chosen)
        config = base.config
        others = [d.key for d in active if d.key not in chosen]
        require_other(seen.setdefault(repr((config, base.references, others)), chosen), chosen)
        for d in active:
            if d.key not in chosen:
                try:
                    checked.setdefault(d.key, _checked(d, declaration(config, d.key)))
                except ConfigError as error:
                    raise ConfigError(f"{error}{cure_of(str(error), [d])}") from None
    space.dimensions = [checked.get(d.key, d) for d in space.dimensions]


def _without_seed(composed: Composed) -> Composed:
    """Return a configuration without the words that gave it a trial's seed."""
    changed = [override for override in composed.changed if override.key != "seed"]
    return replace(composed, changed=changed, overrides=composed.overrides[:-1])


def _checked(d: Dimension, parameter: Parameter | None) -> Dimension:
    """Return a dimension with its values in the parameter's type and its limits."""
    if parameter is None:
        return d
    require_paths(d)
    if d.values is not None:
        values = [check_value(d.key, value, parameter) for value in d.values]
        is_whole = all(isinstance(value, int) for value in values)
        return replace(d, values=values, limits=limits_of(parameter.annotation, is_whole))
    low, high = (check_value(d.key, value, parameter) for value in (d.low, d.high))
    return replace(d, low=low, high=high, limits=limits_of(parameter.annotation, d.is_int))


def _get(config: dict[str, Any], key: str) -> Any:
    node: Any = config
    for name in key.split("."):
        node = node[name]
    return node


def _put(config: dict[str, Any], key: str, value: Any) -> None:
    *parents, leaf = key.split(".")
    node = config
    for name in parents:
        node = node[name]
    node[leaf] = value
