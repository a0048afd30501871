"""The record of a run that nobody trained."""

from typing import Any, cast

from dlexp.run.document import RunRecord


def record(**fields: Any) -> RunRecord:
    """Return a finished training with these fields."""
    usual = {
        "run_id": "r1",
        "run_dir": "/runs/x/r1",
        "slug": "mlp",
        "kind": "train",
        "status": "finished",
        "experiment": "x",
        "task": "multiclass",
        "device": "cpu",
        "seed": 0,
        "start": "2026-01-02T03:04:05",
        "end": None,
        "params": {"model": "mlp", "data": "digits"},
        "metrics": {},
        "metric": "val/accuracy",
        "value": 0.9,
        "validated_on": "v",
        "note": "",
        "tags": [],
    }
    return cast(RunRecord, usual | fields)
