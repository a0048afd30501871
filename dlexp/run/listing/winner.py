"""The metrics by which a sweep or cv stands among runs: those of its best setting."""

import statistics
from typing import Any


def winner_metrics(result: dict[str, Any]) -> dict[str, float]:
    """Return the metrics of a sweep's or cv's best setting, over its seeds their means; none for a training.

    A cv of one setting has its means among its own metrics.
    """
    try:
        return _winner(result)
    except (AttributeError, KeyError, TypeError):  # a damaged result has no winner
        return {}


def _winner(result: dict[str, Any]) -> dict[str, float]:
    settings = result.get("settings")
    if settings:
        return dict(settings[0].get("mean") or {})
    best = result.get("best")
    if not best:
        return {}
    trials = [trial for trial in result.get("trials", []) if trial["number"] == best["number"] and trial["metrics"]]
    names = [name for name in best["metrics"] if all(trial["metrics"].get(name) is not None for trial in trials)]
    means = {name: statistics.fmean(trial["metrics"][name] for trial in trials) for name in names if trials}
    return {**means, result["metric"]: best["value"]}
