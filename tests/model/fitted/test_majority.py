"""Guessing without looking, against scikit-learn's."""

import numpy as np
import torch
from sklearn.dummy import DummyClassifier, DummyRegressor

from dlexp.model.fitted.majority import Majority

X = torch.zeros(9, 2, dtype=torch.float64)


def test_classes_are_those_of_the_prior():
    targets = torch.tensor([2, 2, 0, 0, 2, 1, 0, 1, 1])  # all three alike: the first is called
    model = Majority(num_outputs=4).double()
    model.fit(X, targets)
    expected = DummyClassifier(strategy="prior").fit(X, targets)
    probabilities = model(X[:2]).exp()
    np.testing.assert_allclose(probabilities[:, :3], expected.predict_proba(X[:2]), rtol=1e-15)
    assert probabilities[0, 3] < 1e-15
    assert model(X[:1]).argmax(1).tolist() == list(np.asarray(expected.predict(X[:1]))) == [0]


def test_values_are_the_mean():
    targets = torch.arange(9.0, dtype=torch.float64) ** 2
    model = Majority(num_outputs=1).double()
    model.fit(X, targets)
    expected = np.asarray(DummyRegressor().fit(X, targets).predict(X[:3]))
    np.testing.assert_allclose(model(X[:3])[:, 0], expected, rtol=1e-15)
