"""Patterns of names: of a weight, of a layer around it, and those that match nothing."""

import pytest

from dlexp.build.start.name import idle_patterns, is_named, owners

NAMES = ["hidden.0.linear.weight", "hidden.0.norm.bias", "hidden.10.linear.weight", "output.bias"]


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        ("hidden.0", NAMES[:2]),
        ("hidden.1", []),
        ("hidden", NAMES[:3]),
        ("hidden*", NAMES[:3]),
        ("*.norm", NAMES[1:2]),
        ("*.weight", [NAMES[0], NAMES[2]]),
        ("output.bias", NAMES[3:]),
        ("hidden.[01]", NAMES[:2]),
        ("*", NAMES),
    ],
)
def test_a_pattern_matches_a_weight_or_a_layer_around_it(pattern, matched):
    assert [name for name in NAMES if is_named(name, [pattern])] == matched
    assert idle_patterns(NAMES, [pattern]) == ([] if matched else [pattern])


def test_the_layers_that_own_weights():
    assert owners([*NAMES, "scale"]) == ["hidden.0.linear", "hidden.0.norm", "hidden.10.linear", "output", "scale"]
