"""Facts come from anybody: what does not fit the form, or itself, is one line."""

import json
from copy import deepcopy
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from dlexp.config.signature import read
from dlexp.error import RunError
from dlexp.export import facts
from tests import exported

COLUMNS = [{"name": "a", "levels": None, "fill": None}, {"name": "b", "levels": ["x", "y"], "fill": "x"}]


def changed(path: str, value) -> str:
    told = exported.said(exported.about((3,), encoding={"features": COLUMNS, "missing": "impute", "unseen": "warn"}))
    node = told = deepcopy(told)
    *steps, last = path.split(".")
    for step in steps:
        node = node[step]
    node[last] = value
    return json.dumps(told)


def test_what_was_written_is_read():
    told = exported.said(exported.about((3,), encoding={"features": COLUMNS}))
    assert facts.read(facts.text_of(told), Path("m")) == told


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("form", 2),
        ("precision", "fp16"),
        ("about.in_shape", []),
        ("about.in_shape", [3, 4]),
        ("about.in_shape", [0]),
        ("about.in_shape", ["3"]),
        ("about.in_shape", [2**40]),
        ("about.num_outputs", 4),
        ("about.class_names", ["one"]),
        ("about.class_names", [1, 2, 3, 4, 5]),
        ("about.normalize.scale", [1.0]),
        ("about.normalize.shift", [1.0, 2.0, float("nan")]),
        ("about.normalize", None),
        ("about.encoding.features", COLUMNS[:1]),
        ("about.encoding.missing", "anything"),
        ("about.encoding", []),
        ("about.unit", {"mean": 0.0, "std": 1.0}),
        ("about.measure", {"link": "probit"}),
        ("about.measure", {"positive": 7}),
        ("about.feature_names", ["a"]),
        ("about.task", "pairs"),
        ("about.pairs", {"similarity": "cosine", "threshold": 0.5}),
        ("config", None),
    ],
)
def test_other_facts_are_one_line(path, value):
    with pytest.raises(RunError, match=r"m: got facts that cannot be \(.*\); export the run anew") as raised:
        facts.read(changed(path, value), Path("m"))
    assert "\n" not in str(raised.value)


def test_facts_of_pairs_state_how_two_are_compared():
    stated = {"task": "pairs", "num_outputs": 32, "pairs": {"similarity": "cosine", "threshold": 0.5}}
    told = exported.said(exported.about((3,), 2, **stated))
    assert facts.read(facts.text_of(told), Path("m")) == told
    for odd in ({"similarity": "taste", "threshold": 0.5}, {"similarity": "cosine", "threshold": None}):
        told["about"]["pairs"] = odd
        with pytest.raises(RunError, match=r"facts that cannot be \(about.pairs"):
            facts.read(json.dumps(told), Path("m"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("num_outputs", 4),
        ("class_names", ["x", "y"]),
        ("unit", None),
        ("unit", {"mean": 0.0, "std": 1.0}),
        ("unit", exported.TARGETS["unit"] | {"mean": [0.0]}),
        ("unit", exported.TARGETS["unit"] | {"columns": [0, 1, 2, 2, 1]}),
        ("heads", []),
        ("heads", exported.TARGETS["heads"][:2]),
        ("heads", [head | {"class_names": ["x"]} for head in exported.TARGETS["heads"]]),
        ("heads", [head | {"task": "pairs"} for head in exported.TARGETS["heads"]]),
    ],
)
def test_facts_of_several_targets_that_disagree_are_one_line(name, value):
    told = exported.about((3,), 0, **exported.TARGETS)
    assert facts.read(facts.text_of(exported.said(told)), Path("m"))["about"] == told
    with pytest.raises(RunError, match=r"m: got facts that cannot be \(.*\); export the run anew"):
        facts.read(facts.text_of(exported.said({**told, name: value})), Path("m"))


@pytest.mark.parametrize("text", ["", "[", "[]", "null", "[" * 100_000, '{"form": 1}'])
def test_what_is_no_json_of_facts_is_one_line(text):
    with pytest.raises(RunError, match="m: got facts that cannot be"):
        facts.read(text, Path("m"))
    with pytest.raises(RunError, match="m: got a file without dlexp's facts"):
        facts.read(None, Path("m"))


@pytest.mark.parametrize(
    ("target", "names"), [("table.Table", ["missing", "unseen"]), ("folder.ImageFolder", ["broken", "fit", "color"])]
)
def test_words_are_those_that_the_data_set_can_choose(target, names):
    parameters = read(f"dlexp.data.{target}").parameters
    fields = get_type_hints(facts.Encoding)
    for name in names:
        assert set(get_args(fields[name])) == set(get_args(parameters[name].annotation))
