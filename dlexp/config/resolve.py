"""The checked configuration for a list of overrides: the first step of every job."""

from pathlib import Path
from typing import Any

import yaml

from dlexp.config import catalog
from dlexp.config.check import check
from dlexp.config.compose import Composed, compose


def resolve(overrides: list[str], config_dir: Path | None = None, job: str = "train") -> Composed:
    """Compose and check.

    Raises:
        ConfigError: Anything that the user can mend.
    """
    return check(compose(overrides, config_dir=config_dir, job=job), catalog.list_groups(config_dir))


def to_yaml(config: dict[str, Any]) -> str:
    """Return a configuration as YAML, keys in their own order."""
    return yaml.safe_dump(config, sort_keys=False, default_flow_style=False, allow_unicode=True)
