"""The constants of a trained run's metrics: as written, by default, refused, and pooled over folds."""

import json

import pytest

from dlexp.error import RunError
from dlexp.run.folder import RunFolder
from dlexp.run.measure import FILE, pooled, read_class_names, read_layers, read_measure
from dlexp.statistic.measure import Measure


@pytest.fixture
def folder(tmp_path):
    made = RunFolder.create(tmp_path, "x", "y", config={}, overrides=[], manifest={"kind": "train"})
    yield made
    made.unlock()


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({"measure": {"link": "sigmoid", "beta": 0.5, "delta": 3.0}}, Measure("sigmoid", 0.5, 3.0)),
        ({"measure": {"delta": 3.0}}, Measure(delta=3.0)),
        ({}, Measure("softmax", 2.0, 1.0)),
    ],
)
def test_constants_are_those_of_the_file_and_else_the_defaults(folder, written, expected):
    (folder.path / FILE).write_text(json.dumps(written))
    assert read_measure(folder) == expected


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"measure": {"gamma": 1}}', '{"measure": 3}'])
def test_what_cannot_be_read_is_refused_by_its_path(folder, text):
    if text is not None:
        (folder.path / FILE).write_text(text)
    with pytest.raises(RunError, match=rf"{FILE}: cannot be read; restore it from a copy"):
        read_measure(folder)


def test_pooled_predictions_take_the_mean_delta_of_their_folds():
    measures = [Measure("sigmoid", 0.5, delta) for delta in (1.0, 2.0, 6.0)]
    assert pooled(measures) == Measure("sigmoid", 0.5, 3.0)
    assert pooled(measures[:1]) == measures[0]


def test_names_of_classes_and_layers_are_those_of_the_file_and_none_where_nothing_was_written(folder):
    assert read_layers(folder) == []
    with pytest.raises(RunError, match=r"model\.json: cannot be read; restore it"):
        read_class_names(folder)
    (folder.path / FILE).write_text(json.dumps({"class_names": ["cat", "dog"], "layers": ["stem.weight"]}))
    assert (read_class_names(folder), read_layers(folder)) == (["cat", "dog"], ["stem.weight"])
