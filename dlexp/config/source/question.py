"""The question of an experiment's file: what it searches, in the form that Hydra has for it.

::

    # @package _global_
    hydra:
      sweeper:
        params:
          optimizer.lr: 0.01,0.1
"""

from pathlib import Path

from dlexp.config import catalog
from dlexp.config.override import Override, parse
from dlexp.config.wording import show
from dlexp.error import ConfigError, did_you_mean


def searched_keys(overrides: list[str], config_dir: Path | None = None) -> dict[str, str]:
    """Return the sweep expressions of the chosen experiments by key, those whose key is typed left out.

    Args:
        overrides: Hydra overrides, such as ``+experiment=learning_rate``.
        config_dir: A user's folder of YAML files.

    Raises:
        ConfigError: A file gives a key one value, there is no such experiment, or an override cannot be read.
    """
    typed = parse(overrides)
    groups = catalog.list_groups(config_dir)
    keys = {override.key for override in typed}
    searched: dict[str, str] = {}
    for override in typed:
        if override.key == catalog.EXPERIMENT and not _is_option(override, groups):
            options = groups[override.key]
            near = did_you_mean(str(override.value), options)
            raise ConfigError(f"{override.key}: got {show(override.value)}; choose one of {', '.join(options)}{near}")
        if _is_option(override, groups) and catalog.is_global(override.key, str(override.value), config_dir):
            searched |= _expressions(override.key, str(override.value), config_dir)
    return {key: text for key, text in searched.items() if key not in keys}


def with_searched(overrides: list[str], config_dir: Path | None = None) -> list[str]:
    """Return overrides with what the chosen experiments search, as if it had been typed.

    Raises:
        ConfigError: As `searched_keys`.
    """
    return [*overrides, *(f"{key}={text}" for key, text in searched_keys(overrides, config_dir).items())]


def _is_option(override: Override, groups: dict[str, list[str]]) -> bool:
    return isinstance(override.value, str) and override.value in groups.get(override.key, ())


def _expressions(group: str, option: str, config_dir: Path | None) -> dict[str, str]:
    stated = catalog.sweeper_params(group, option, config_dir)
    for key, text in stated.items():
        if not isinstance(text, str) or not parse([f"{key}={text}"])[0].is_sweep:
            path = catalog.option_file(group, option, config_dir)
            raise ConfigError(
                f"{path}: got {text} for {key} in hydra.sweeper.params; a sweep expression such as 0.01,0.1 is needed"
            )
    return {str(key): str(text) for key, text in stated.items()}
