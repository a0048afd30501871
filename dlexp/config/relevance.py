"""Which settings decide numbers, and which say only how or where something is computed."""

from typing import Any

from dlexp.config.source.place import content_of, paths

IRRELEVANT = ("launcher", "tracking", "runs_dir", "trusted")
# settings that say how something is computed or found, not what
IRRELEVANT_IN = {
    "trainer": ("fuse", "diagnose", "baseline"),
    "data": ("root", "path", "labels", "download", "cache", "memory"),
}


def relevant(config: dict[str, Any]) -> dict[str, Any]:
    """Return what of a configuration decides numbers."""
    deciding = _by_content({name: node for name, node in config.items() if name not in IRRELEVANT})
    for group, names in IRRELEVANT_IN.items():
        deciding[group] = {name: value for name, value in deciding[group].items() if name not in names}
    return deciding


def _by_content(config: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration with the content of files in place of their paths; of data the fingerprint says more."""
    nodes = {name: dict(node) if isinstance(node, dict) else node for name, node in config.items()}
    for key, path in paths(config).items():
        group, _, name = key.partition(".")
        if group == "data":
            del nodes[group][name]
        else:
            nodes[group][name] = content_of(path) or path
    return nodes


def tells_runs_apart(key: str) -> bool:
    """Return whether a setting, such as ``data.path``, belongs in a run's name; where data are kept does not."""
    return key.partition(".")[0] not in IRRELEVANT and key not in ("data.root", "data.download")
