"""Settings of earlier versions, and what says the same now: run folders and exported files of then are read by it.

`model.freeze` of torchvision's networks named parameters; the batch norms among them went on with their statistics.
"""

from collections.abc import Callable
from typing import Any

BEFORE, NOW = "model.freeze", "freeze.layers"
BESIDE = "freeze.norm=false"
CURE = f"layers of any model are frozen by freeze=[PATTERN,...], and {BESIDE} lets their batch norms go on"


def config_now(config: dict[str, Any]) -> dict[str, Any]:
    """Return a stored configuration as this version says it; one that says nothing of the kind as it is."""
    model = config.get("model")
    if not isinstance(model, dict) or not _is_shipped(model) or "freeze" not in model:
        return config
    left = {name: value for name, value in model.items() if name != "freeze"}
    return {**config, "model": left} | ({"freeze": _node(config, model["freeze"])} if model["freeze"] else {})


def overrides_now(texts: list[str], config_of: Callable[[], dict[str, Any]]) -> list[str]:
    """Return overrides that a run keeps as this version says them.

    Args:
        texts: As they were typed.
        config_of: Reads the run's configuration; asked where it matters, since a user's model may have such a setting.
    """
    if not any(text.startswith(f"{BEFORE}=") for text in texts) or not _is_shipped(config_of().get("model", {})):
        return texts
    return [now for text in texts for now in _override_now(text)]


def _is_shipped(model: dict[str, Any]) -> bool:
    return str(model.get("_target_")).startswith("dlexp.model.torchvision.")


def _node(config: dict[str, Any], patterns: Any) -> dict[str, Any]:
    node = config.get("freeze", {"_target_": "dlexp.config.root.Freeze"})
    return {**node, "layers": patterns, "norm": False}


def _override_now(text: str) -> list[str]:
    key, _, value = text.partition("=")
    if key != BEFORE:
        return [text]
    return [] if value == "[]" else [f"{NOW}={value}", BESIDE]
