"""What makes a trial the same trial: the hash that names its folder, so that nothing finished is trained again."""

import hashlib
import importlib.metadata
import json
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from dlexp.config.relevance import relevant

# What `build.program`, `engine.train` and the options of a trial's groups import, whole packages where they import any
# of their modules. `config.trust` is left out: it says whose code may run, and a trial whose code may not has no
# number; so is `disk`, by which it remembers that and checkpoints are written: how bytes reach the disk, not which;
# `config.metric`, the metrics in words, of which `build.objective` reads the names that are taken; and `number`, which
# puts counts into words.
NUMBERS = (
    "activation",
    "augment",
    "build",
    "config.signature",
    "config.source.definition",
    "config.source.reference",
    "data",
    "device",
    "direction",
    "dropout",
    "embedding",
    "engine",
    "error",
    "image",
    "init",
    "kernel",
    "loss",
    "metric",
    "model",
    "norm",
    "normalize",
    "optimizer",
    "random",
    "regularizer",
    "schedule",
    "statistic.measure",
    "statistic.proportion",
    "type",
    "weight",
)
LENGTH = 12


def trial_id(config: dict[str, Any], fingerprint: str, code: str) -> str:
    """Return the name of a trial: letters and digits that depend on all that its numbers depend on.

    Args:
        config: The resolved configuration of the trial.
        fingerprint: Of the data.
        code: From `code_version`.
    """
    return _digest([relevant(config), fingerprint, code])[:LENGTH]


def sweep_key(config: dict[str, Any], space: list[str], fingerprint: str, code: str) -> str:
    """Return a text that is equal for sweeps that ask for the same trials.

    Args:
        config: The sweep's resolved configuration.
        space: The sweep expressions as written.
        fingerprint: Of the data.
        code: From `code_version`.
    """
    # a sweep that met a limit goes on when it is raised; settings that are skipped are no trials
    limits = ("max_seconds", "stop_after_failures", "retry_failed", "invalid")
    search = {name: value for name, value in config["search"].items() if name not in limits}
    return _digest([{**relevant(config), "search": search}, sorted(space), fingerprint, code])


def code_version(trusted: Sequence[str] = ()) -> str:
    """Return a hash of the source files that numbers depend on, and the version of torch.

    Args:
        trusted: The user's packages, whose every module counts. They are found, not imported: a script's top level
            would run.
    """
    return _digest([_own_version(), *(_sources(package) for package in sorted(trusted))])


@cache
def _own_version() -> str:
    (root,) = _places("dlexp")
    places = [root.joinpath(*name.split(".")) for name in NUMBERS]
    paths = [path for place in places for path in [place.with_suffix(".py"), *sorted(place.rglob("*.py"))]]
    sources = [path.read_text(encoding="utf-8") for path in paths if path.is_file()]
    return _digest([sources, importlib.metadata.version("torch")])


def _sources(package: str) -> list[tuple[str, str]]:
    """Return name and hash of each module of a package, or of the only one."""
    sources = []
    for place in _places(package):
        for path in [place] if place.is_file() else sorted(place.rglob("*.py")):
            name = path.relative_to(place.parent).as_posix()
            sources.append((name, hashlib.sha256(path.read_bytes()).hexdigest()))
    return sources


def _places(package: str) -> list[Path]:
    """Return the folders of a package, or the file of a single module."""
    spec = find_spec(package)
    if spec is None:
        return []
    folders = spec.submodule_search_locations
    return [Path(place) for place in folders or ([spec.origin] if spec.origin else [])]


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
