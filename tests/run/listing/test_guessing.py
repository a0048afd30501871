"""Which listed runs are called a guess."""

from typing import Any, cast

import pytest

from dlexp.run.document import RunRecord
from dlexp.run.listing.guessing import is_a_guess


def record(kind: str, **fields: Any) -> RunRecord:
    return cast(RunRecord, {"kind": kind, "status": "finished", "metrics": {}, **fields})


def train(value: float | None, **fields: Any) -> RunRecord:
    guess, data = {"val/accuracy": 0.4}, {"num_val": 100}
    return record("train", metrics={"val/accuracy": value}, guess=guess, data=data, **fields)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (train(0.5), True),
        (train(0.6), False),
        (train(None), False),
        (train(0.6, selection={"metric": "val/accuracy", "corrected": 0.45}), True),
        (train(0.5) | {"status": "running"}, False),
        (train(0.5) | {"status": "diverged"}, False),
        (record("sweep", best={"is_guess": True}), True),
        (record("sweep", best=None), False),
        (record("cv", guess={"is_beaten": False}), True),
        (record("cv", settings=[{"guess": {"is_beaten": True}}]), False),
        (record("cv", settings=[]), False),
        (record("train", guess="?"), False),
    ],
)
def test_by_kind(given, expected):
    assert is_a_guess(cast(RunRecord, given)) is expected
