from typing import Any

import numpy as np
import pytest
import sklearn.datasets

from dlexp.data.classic import BreastCancer, Diabetes, Iris, Linnerud, Wine
from dlexp.error import ConfigError


@pytest.mark.parametrize(
    ("option", "reference"),
    [
        (BreastCancer, sklearn.datasets.load_breast_cancer),
        (Wine, sklearn.datasets.load_wine),
        (Iris, sklearn.datasets.load_iris),
    ],
)
def test_equals_scikit_learn(option, reference):
    expected, dataset = reference(), option().load()
    np.testing.assert_allclose(dataset.inputs.numpy(), expected.data, rtol=1e-6)
    assert dataset.targets.tolist() == expected.target.tolist()
    assert len(dataset.class_names) == len(expected.target_names)
    assert len(dataset.feature_names) == dataset.in_shape[0]
    assert dataset.task == ("binary" if len(dataset.class_names) == 2 else "multiclass")


def test_diabetes():
    expected: Any = sklearn.datasets.load_diabetes(scaled=False)
    dataset = Diabetes().load()
    np.testing.assert_allclose(dataset.inputs.numpy(), expected.data, rtol=1e-6)
    np.testing.assert_allclose(dataset.targets.numpy(), expected.target)
    assert dataset.task == "regression"
    assert dataset.class_names == []


def test_linnerud():
    expected: Any = sklearn.datasets.load_linnerud()
    dataset = Linnerud().load()
    np.testing.assert_array_equal(dataset.inputs.numpy(), expected.data)
    np.testing.assert_array_equal(dataset.targets.numpy(), expected.target)
    assert [head.name for head in dataset.heads] == [name.lower() for name in expected.target_names]
    assert dataset.feature_names == [name.lower() for name in expected.feature_names]
    with pytest.raises(ConfigError, match="linnerud has values"):
        Linnerud().load("multiclass")


def test_tasks_that_do_not_fit():
    assert BreastCancer().load("multiclass").task == "multiclass"
    with pytest.raises(ConfigError, match="task: got binary; the data have 3 classes"):
        Iris().load("binary")
    with pytest.raises(ConfigError, match="task: got regression"):
        Wine().load("regression")
    with pytest.raises(ConfigError, match="diabetes has values"):
        Diabetes().load("multiclass")
