"""The bounds of the shared annotations."""

import math

import pytest
from pydantic import TypeAdapter, ValidationError

from dlexp import type as types

INF = math.inf


@pytest.mark.parametrize(
    ("name", "accepted", "refused"),
    [
        ("Count", [1, 10**9], [0, -1, 1.0, True, "1", None]),
        ("NonNegativeInt", [0, 7], [-1, 0.0, False]),
        ("Finite", [-1e300, 0, 2.5], [INF, -INF, math.nan, "1", True]),
        ("Positive", [1e-300, 3], [0, -1.0, INF, math.nan]),
        ("NonNegative", [0, 0.0, 5], [-1e-9, INF, math.nan]),
        ("Probability", [0, 0.999], [1, -0.1, math.nan]),
        ("Fraction", [0.001, 0.999], [0, 1, math.nan]),
        ("UnitInterval", [0, 1, 0.5], [-0.1, 1.1, math.nan]),
        ("Widths", [[1], [64, 32]], [[], [0], [1.0], 64, "64"]),
    ],
)
def test_bounds(name, accepted, refused):
    for annotation in (getattr(types, name), types.PerTrial[getattr(types, name)]):
        adapter = TypeAdapter(annotation)
        assert [adapter.validate_python(value, strict=True) for value in accepted] == accepted
        for value in refused:
            with pytest.raises(ValidationError):
                adapter.validate_python(value, strict=True)


def test_the_mark_says_what_it_is():
    assert "PerTrial" in repr(types.PerTrial[float])
