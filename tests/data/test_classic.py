from typing import Any

import numpy as np
import pytest
import sklearn.datasets

from dlexp.data.classic import BreastCancer, Diabetes, Iris, Wine
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
    expected, found = reference(), option().load()
    np.testing.assert_allclose(found.inputs.numpy(), expected.data, rtol=1e-6)
    assert found.targets.tolist() == expected.target.tolist()
    assert len(found.class_names) == len(expected.target_names)
    assert len(found.feature_names) == found.in_shape[0]
    assert found.task == ("binary" if len(found.class_names) == 2 else "multiclass")


def test_diabetes():
    expected: Any = sklearn.datasets.load_diabetes(scaled=False)
    found = Diabetes().load()
    np.testing.assert_allclose(found.inputs.numpy(), expected.data, rtol=1e-6)
    np.testing.assert_allclose(found.targets.numpy(), expected.target)
    assert found.task == "regression"
    assert found.class_names == []


def test_tasks_that_do_not_fit():
    assert BreastCancer().load("multiclass").task == "multiclass"
    with pytest.raises(ConfigError, match="task: got binary; the data have 3 classes"):
        Iris().load("binary")
    with pytest.raises(ConfigError, match="task: got regression"):
        Wine().load("regression")
    with pytest.raises(ConfigError, match="diabetes has values"):
        Diabetes().load("multiclass")
