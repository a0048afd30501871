"""Tasks and events come back from JSON as they were, and nothing but data comes back."""

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlexp.engine.event import EpochEnd
from dlexp.execution.assignment import Assignment, ExecutorEvent, Group
from dlexp.execution.fusion import SOLO
from dlexp.launcher.plain import dumps, loads, name_of, resolve

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner, inner),
    max_leaves=8,
)


@given(PLAIN)
def test_values_come_back(value):
    assert repr(loads(dumps(value))) == repr(value)
    assert "\n" not in dumps(value)


def test_a_group_and_its_events_come_back_without_what_is_built_here(tmp_path):
    built: Any = object()
    assignment = Assignment({"trainer": {"lr": 0.1, "!": [1]}}, tmp_path, "trial", 3, attempt=2, built=built)
    group = Group([assignment], SOLO, 2)
    again = loads(dumps(group))
    assert again == group
    assert again.assignments[0].built is None
    event = ExecutorEvent(tmp_path, EpochEnd(0, 1, 2, 0.1, {"val/loss": math.inf}, 1.5, True), 1)
    assert loads(dumps(event)) == event


@pytest.mark.parametrize(
    "text", ['{"!":"subprocess:Popen","fields":{}}', '{"!":"os:getcwd","fields":{}}', "{}", '{"!":"no_module:X"}', "{"]
)
def test_what_is_not_data_is_refused(text):
    with pytest.raises(ValueError):
        loads(text)


def test_a_function_is_known_by_its_name():
    assert resolve(name_of(dumps)) is dumps


def test_a_value_without_a_form_is_refused():
    with pytest.raises(TypeError, match="got object"):
        dumps([object()])
    assert loads(dumps(Path("a/b"))) == Path("a/b")
