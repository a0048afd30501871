"""Nearest neighbours against scikit-learn's, classes and values."""

import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from dlexp.error import ConfigError, DataError
from dlexp.model.fitted.knn import KNN

DRAW = torch.Generator().manual_seed(0)
TRAIN, QUERY = (torch.randn(num, 2, 3, 2, dtype=torch.float64, generator=DRAW) for num in (60, 25))
CLASSES = torch.arange(60) % 5 + (torch.arange(60) % 5 > 2).long()  # there is no class 3
VALUES = torch.randn(60, dtype=torch.float64, generator=DRAW)
FORMS = [
    (k, metric, weights) for k in (1, 4) for metric in ("euclidean", "cosine") for weights in ("uniform", "distance")
]


@pytest.mark.parametrize(("k", "metric", "weights"), FORMS)
def test_probabilities_are_those_of_scikit_learn(k, metric, weights):
    model = KNN(k, metric, weights, in_shape=(2, 3, 2), num_outputs=6).double()
    model.fit(TRAIN, CLASSES)
    reference = KNeighborsClassifier(k, metric=metric, weights=weights).fit(TRAIN.flatten(1), CLASSES)
    expected = np.zeros((25, 6))
    expected[:, reference.classes_] = reference.predict_proba(QUERY.flatten(1))
    np.testing.assert_allclose(model(QUERY).exp(), expected, rtol=1e-12, atol=1e-15)
    assert model(QUERY).argmax(1).tolist() == reference.predict(QUERY.flatten(1)).tolist()


@pytest.mark.parametrize(("k", "metric", "weights"), FORMS)
def test_values_are_those_of_scikit_learn(k, metric, weights):
    model = KNN(k, metric, weights, in_shape=(2, 3, 2), num_outputs=1).double()
    model.fit(TRAIN, VALUES)
    reference = KNeighborsRegressor(k, metric=metric, weights=weights).fit(TRAIN.flatten(1), VALUES)
    np.testing.assert_allclose(model(QUERY)[:, 0], reference.predict(QUERY.flatten(1)), rtol=1e-12)


def test_votes_by_hand():
    """Of neighbours at 1 (class 0), 2 and 4 (class 1), by 1 / distance: 1 against 1/2 + 1/4."""
    model = KNN(3, weights="distance", in_shape=(1,), num_outputs=2).double()
    model.fit(torch.tensor([[1.0], [-2.0], [4.0], [9.0]], dtype=torch.float64), torch.tensor([0, 1, 1, 0]))
    assert model(torch.zeros(1, 1, dtype=torch.float64)).exp().tolist()[0] == pytest.approx([4 / 7, 3 / 7])


def test_smoothing_moves_probabilities_and_no_answer():
    plain, smoothed = (KNN(4, smoothing=s, in_shape=(2, 3, 2), num_outputs=6).double() for s in (0.0, 0.5))
    for model in (plain, smoothed):
        model.fit(TRAIN, CLASSES)
    expected = (4 * plain(QUERY).exp() + 0.5) / (4 + 0.5 * 6)
    torch.testing.assert_close(smoothed(QUERY).exp(), expected)
    assert torch.equal(smoothed(QUERY).argmax(1), plain(QUERY).argmax(1))


def test_more_neighbours_than_examples_are_refused():
    model = KNN(61, in_shape=(2, 3, 2), num_outputs=6)
    message = "model.k: got 61; the training part has 60 examples, so at most 60"
    with pytest.raises(ConfigError, match=f"^{message}$"):
        model.fit(TRAIN, CLASSES)


def test_an_example_without_direction_is_refused():
    model = KNN(2, "cosine", in_shape=(2, 3, 2), num_outputs=6).double()
    blank = torch.cat([TRAIN[:59], torch.zeros_like(TRAIN[:1])])
    with pytest.raises(DataError, match=r"^model.metric: got cosine; 1 training example of 60 is 0 throughout"):
        model.fit(blank, CLASSES)
    model.fit(TRAIN, CLASSES)
    with pytest.raises(DataError, match=r"^model.metric: got cosine; 2 examples of 2 are 0 throughout"):
        model(torch.zeros_like(QUERY[:2]))
