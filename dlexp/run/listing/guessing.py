"""Whether a listed run is no better than a guess, by what its result holds."""

import math
from typing import Any

from dlexp.run.document import RunRecord
from dlexp.run.status import Status
from dlexp.statistic.proportion import is_guess


def is_a_guess(record: RunRecord) -> bool:
    """Say whether a run that is over cannot be told from a guess; not where its result does not tell."""
    fields: dict[str, Any] = dict(record)
    try:
        return Status(record["status"]).has_value and _of_result(fields)
    except (AttributeError, KeyError, TypeError, ValueError):  # a damaged result tells nothing
        return False


def _of_result(fields: dict[str, Any]) -> bool:
    if fields["kind"] == "sweep":
        return bool((fields.get("best") or {}).get("is_guess"))
    if fields["kind"] == "cv":
        guess = fields.get("guess") or (fields.get("settings") or [{}])[0].get("guess")
        return guess is not None and not guess["is_beaten"]
    floors = fields.get("guess") or {}
    return bool(floors) and all(_is_beaten_by(fields, name, floor) for name, floor in floors.items())


def _is_beaten_by(fields: dict[str, Any], name: str, floor: float) -> bool:
    selection = fields.get("selection") or {}
    value = fields["metrics"].get(name)
    if selection.get("metric") == name:
        value = selection.get("corrected", value)
    return value is not None and math.isfinite(value) and is_guess(name, value, floor, fields["data"]["num_val"])
