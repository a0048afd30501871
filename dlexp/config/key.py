"""Names the likeliest cure for a key that the chosen options do not have."""

import difflib
from pathlib import Path

from dlexp.config import catalog
from dlexp.config.rule.moved import BEFORE, CURE
from dlexp.config.wording import show
from dlexp.error import ConfigError


def unknown_key(key: str, keys: list[str], groups: dict[str, list[str]], config_dir: Path | None = None) -> ConfigError:
    """Return the error for an unknown key.

    Tried in turn: an option of the group that has it; a sibling spelt nearly so; a key of another option spelt nearly
    so; the same last word elsewhere; any key or group spelt nearly so.

    Args:
        key: What the user wrote.
        keys: All keys of the composed configuration.
        groups: The groups and their options.
        config_dir: A user's own folder.
    """
    if key == BEFORE:
        return ConfigError(f"unknown key {BEFORE}; {CURE}")
    parent, _, leaf = key.rpartition(".")
    known = [name for name in keys if not name.endswith("_target_")]
    siblings = [name.rpartition(".")[2] for name in known if name.rpartition(".")[0] == parent]
    owners = _owners(parent, groups, config_dir)
    if leaf in owners:
        return ConfigError(f"unknown key {show(key)}: it has no effect here; {parent}={'|'.join(owners[leaf])} has it")
    near = difflib.get_close_matches(leaf, siblings, n=1) or difflib.get_close_matches(leaf, owners, n=1)
    if near:
        where = "" if near[0] in siblings else f" {parent}={'|'.join(owners[near[0]])} has it"
        return ConfigError(f"unknown key {show(key)}; did you mean {f'{parent}.' if parent else ''}{near[0]}?{where}")
    same_leaf = [name for name in known if leaf and name.rpartition(".")[2] == leaf and name != key]
    nearest = difflib.get_close_matches(key, same_leaf, n=1, cutoff=0)
    if not nearest and parent not in groups:
        nearest = difflib.get_close_matches(key, [*known, *groups], n=1)
    place = f" {key.split('.')[0]}" if key.split(".")[0] in groups else ""
    cure = f"; did you mean {nearest[0]}?" if nearest else f"; see `dlexp options{place}`"
    return ConfigError(f"unknown key {show(key)}{cure}")


def _owners(group: str, groups: dict[str, list[str]], config_dir: Path | None) -> dict[str, list[str]]:
    """Return for each key that some option of the group has the options that have it."""
    owners: dict[str, list[str]] = {}
    for option in groups.get(group, []):
        for name in catalog.read_option(group, option, config_dir):
            if name != "_target_":
                owners.setdefault(str(name), []).append(option)
    return owners
