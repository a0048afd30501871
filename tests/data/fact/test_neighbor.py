"""What the nearest neighbours score, against scikit-learn's."""

import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from dlexp.build.components import Components
from dlexp.config.resolve import resolve
from dlexp.data.fact import neighbor
from dlexp.data.fact.neighbor import neighbors


def prepared(*overrides: str):
    made = Components.of(resolve(["tracking=none", *overrides]).config)
    return made.data, lambda rows: made.affine.apply(rows, dtype=torch.float64)


@pytest.mark.parametrize("name", ["digits", "breast_cancer", "diabetes"])
def test_equals_scikit_learn(name):
    data, normalize = prepared(f"data={name}")
    train, val = (normalize(data.inputs[rows]).flatten(1).numpy() for rows in (data.train, data.val))
    kind = KNeighborsClassifier if data.num_classes else KNeighborsRegressor
    said = kind(5).fit(train, data.targets[data.train]).predict(val)
    true = data.targets[data.val].double().numpy()
    expected = (said == true).mean() if data.num_classes else ((said - true) ** 2).mean() ** 0.5
    assert neighbors(data, normalize) == {f"val/{'accuracy' if data.num_classes else 'rmse'}": pytest.approx(expected)}


def test_equal_votes_call_the_first_class(monkeypatch):
    data, normalize = prepared("data=iris")
    monkeypatch.setattr(neighbor, "NEIGHBORS", 2)
    one_each = torch.arange(len(data.targets)) % 2 + 1
    train = normalize(data.inputs[data.train])
    nearest = torch.cdist(normalize(data.inputs[data.val]), train).topk(2, largest=False).indices
    expected = (one_each[data.train][nearest].amin(1) == one_each[data.val]).double().mean()
    object.__setattr__(data, "targets", one_each)
    assert neighbors(data, normalize) == {"val/accuracy": pytest.approx(float(expected))}


def test_there_is_none_of_many_examples_or_too_few(monkeypatch):
    data, normalize = prepared("data=iris")
    assert neighbors(data.with_parts(data.train, data.val[:0]), normalize) == {}
    assert neighbors(data.with_parts(data.train[:4], data.val), normalize) == {}
    work = len(data.train) * len(data.val) * (4 + 16)
    monkeypatch.setattr(neighbor, "MOST_OPERATIONS", work)
    assert neighbors(data, normalize)
    monkeypatch.setattr(neighbor, "MOST_OPERATIONS", work - 1)
    assert neighbors(data, normalize) == {}


@pytest.mark.parametrize("task", [["task=reconstruct", "model.code=4"], ["task=pairs", "pairs.train=40"]])
def test_there_is_none_where_an_example_has_not_one_target(task):
    data, normalize = prepared("data=iris", *task)
    assert neighbors(data, normalize) == {}
