"""The configuration of a run folder, checked as the command line's is: the folder may come from anywhere."""

import glob
import hashlib
import os
from typing import Any

from dlexp.config import trust
from dlexp.config.check import check_stored
from dlexp.config.override import override_of, parse
from dlexp.config.resolve import resolve
from dlexp.config.source.folder import stored_copy
from dlexp.config.source.place import content_of
from dlexp.config.wording import show
from dlexp.disk.regular import read_bytes
from dlexp.error import ConfigError, DlexpError, RunError
from dlexp.run import config_file
from dlexp.run.folder import CONFIG, RunFolder

_SHOWN = 6  # differences named


def stored_config(folder: RunFolder) -> dict[str, Any]:
    """Return a run's configuration, fit to be built, with its files where they are now.

    Raises:
        RunError: It was edited, names what may not be built, or runs code that the user never named; see
            `dlexp.config.trust`.
    """
    stored = folder.config
    require_unedited(folder)
    try:
        config = check_stored(stored)
    except ConfigError as error:
        raise RunError(f"{folder.path / CONFIG}: {error}") from error
    trust.require(config["trusted"], folder.run_id)
    trust.require_references(config, folder.run_id)
    nodes = {name: dict(node) if isinstance(node, dict) else node for name, node in config.items()}
    for key, place in _moved(folder, config).items():
        group, _, name = key.partition(".")
        nodes[group][name] = place
    if _has_begun(folder, nodes):
        nodes["init_from"] |= {"run": None, "skip": []}
    return nodes


def _has_begun(folder: RunFolder, config: dict[str, Any]) -> bool:
    """Say whether the weights that a run began with are gone, and it has weights of its own by now."""
    path = config["init_from"]["run"]
    return path is not None and not os.path.exists(path) and (folder.checkpoints / "last").exists()


def require_same_files(folder: RunFolder) -> None:
    """Check that the files that a run's settings name, such as its first weights, are those of then.

    Raises:
        RunError: One changed since the run began.
    """
    config = folder.config
    moved = _moved(folder, config)
    for key, known in folder.manifest.get(config_file.CONTENTS, {}).items():
        path = moved.get(key) or _value_of(config, key)
        if isinstance(path, str) and content_of(path) not in (known, None):
            raise RunError(f"{key}: {path} changed since run {folder.run_id} began; start a new run")


def require_unedited(folder: RunFolder) -> None:
    """Check that a run's configuration is what it was when the run began.

    Raises:
        RunError: It was edited, or is damaged.
    """
    recorded = folder.manifest.get("config_sha256")  # absent from what versions before 0.2 wrote
    stored = folder.config
    is_edited = recorded is not None and recorded != hashlib.sha256(read_bytes(folder.path / CONFIG)).hexdigest()
    if is_edited or not stored:
        raise RunError(
            f"{folder.path / CONFIG}: was edited after the run began, so it is not what the weights were trained with"
            f"{_differences(folder, stored, recorded or '')}; restore it, or begin a new run with other settings"
        )


def _moved(folder: RunFolder, config: dict[str, Any]) -> dict[str, str]:
    """Return the settings that are to be looked for where they were when the run began, by key.

    A path that was typed relative to a folder is kept as given and as resolved. It is looked for as it was resolved,
    then as it was given; the fingerprint of the data, or of the file, says whether they are the run's.

    Args:
        folder: The run's, or the sweep's or cv's.
        config: Its configuration.
    """
    places = folder.manifest.get(config_file.PLACES)
    if not isinstance(places, dict):
        return {}
    by_key = {key if "." in key else f"data.{key}": place for key, place in places.items()}  # of data alone before 0.2
    return {
        key: place
        for key, place in by_key.items()
        if isinstance(place, str) and isinstance(given := _value_of(config, key), str) and _is_better(place, given)
    }


def _value_of(config: dict[str, Any], key: str) -> Any:
    group, _, name = key.partition(".")
    node = config.get(group)
    return node.get(name) if isinstance(node, dict) else None


def overrides_here(folder: RunFolder, overrides: list[str]) -> list[str]:
    """Return overrides of a run, sweep or cv with which it finds its files from another folder, too.

    Args:
        folder: The run's, or the sweep's or cv's.
        overrides: Its, as far as they are to count.

    Raises:
        RunError: Its configuration was edited, or is damaged.
    """
    require_unedited(folder)
    moved = _moved(folder, folder.config)
    parsed = parse(overrides)
    for searched in (override.key for override in parsed if override.is_sweep):
        moved.pop(searched, None)
    others = [override.text for override in parsed if override.key not in moved]
    return [*others, *(override_of(key, place) for key, place in moved.items())]


def _is_better(place: str, given: str) -> bool:
    """Say whether there is something at a path as it was resolved that the path as given does not lead to here."""
    return os.path.abspath(given) != place and (os.path.exists(place) or bool(glob.glob(place)))


def _differences(folder: RunFolder, stored: dict[str, Any], recorded: str) -> str:
    """Return which keys differ from what the run began with, where its overrides still say what that was."""
    try:
        with trust.words_of(folder.run_id):
            before = resolve(folder.overrides, stored_copy(folder.path)).config
    except (DlexpError, OSError):
        return ""
    if hashlib.sha256(config_file.text(before).encode()).hexdigest() != recorded:
        return ""
    was, is_ = _leaves(before), _leaves(stored)
    keys = [key for key in dict.fromkeys([*was, *is_]) if was.get(key, ...) != is_.get(key, ...)]
    named = [f"{key} is {_text(is_, key)}, was {_text(was, key)}" for key in keys[:_SHOWN]]
    more = f" and {len(keys) - _SHOWN} more" if len(keys) > _SHOWN else ""
    return f": {', '.join(named)}{more}" if named else ""


def _leaves(node: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(node, dict):
        return {prefix.removesuffix("."): node}
    return {key: leaf for name, inner in node.items() for key, leaf in _leaves(inner, f"{prefix}{name}.").items()}


def _text(leaves: dict[str, Any], key: str) -> str:
    return show(leaves[key]) if key in leaves else "absent"
