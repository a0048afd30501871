"""Patterns of names: of a weight, of a layer around it, and those that match nothing."""

import pytest

from dlexp.build.start.name import idle_patterns, is_named, owners, wrapper_of

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


def test_a_name_may_be_written_without_what_all_begin_with():
    names = ["net.layer1.0.weight", "net.fc.weight"]
    assert wrapper_of(names) == "net."
    for pattern in ("fc*", "net.fc"):
        assert [name for name in names if is_named(name, [pattern], "net.")] == names[1:]
    assert (idle_patterns(names, ["fc", "net", "layer1.0"]), idle_patterns(names, ["0"])) == ([], ["0"])
    assert wrapper_of([*names, "fc.bias"]) == ""
    assert idle_patterns([*names, "fc.bias"], ["layer1"]) == ["layer1"]


def test_the_layers_that_own_weights():
    assert owners([*NAMES, "scale"]) == ["hidden.0.linear", "hidden.0.norm", "hidden.10.linear", "output", "scale"]
