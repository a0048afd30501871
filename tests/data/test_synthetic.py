import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from dlexp.data.synthetic import Fake, Spirals
from dlexp.error import ConfigError


def test_spirals_are_not_linearly_separable_but_separable():
    found = Spirals(noise=0.01).load()
    x, y = found.inputs.numpy(), found.targets.numpy()
    train, val = found.train.numpy(), found.val.numpy()
    assert LogisticRegression().fit(x[train], y[train]).score(x[val], y[val]) < 0.6
    assert KNeighborsClassifier(3).fit(x[train], y[train]).score(x[val], y[val]) > 0.97


def test_spiral_formula_without_noise():
    found = Spirals(num=100, num_classes=2, turns=0.0, noise=0.0).load()
    # Without turns the spirals are rays at angles 0 and pi.
    radius = found.inputs[:, 0].abs()
    assert found.inputs[:, 1].abs().max() < 1e-6
    assert ((found.inputs[:, 0] > 0) == (found.targets == 0)).all()
    assert radius.min() >= 0.1
    assert radius.max() <= 1


@pytest.mark.parametrize(("shape", "stored"), [([3, 8, 6], (8, 6, 3)), ([13], (13,))])
def test_fake(shape, stored):
    found = Fake(shape=shape, num_classes=7, num_train=50, num_val=20, num_test=5).load()
    assert found.in_shape == tuple(shape)
    assert tuple(found.inputs.shape) == (75, *stored)
    assert [len(part) for part in (found.train, found.val, found.test)] == [50, 20, 5]
    assert found.targets.max() < 7
    assert (
        found.fingerprint == Fake(shape=shape, num_classes=7, num_train=50, num_val=20, num_test=5).load().fingerprint
    )
    assert (
        found.fingerprint
        != Fake(shape=shape, num_classes=7, num_train=50, num_val=20, num_test=5, seed=1).load().fingerprint
    )


def test_fake_images_are_bytes():
    assert Fake(num_train=4, num_val=2).load().inputs.dtype == torch.uint8


def test_shape_of_two_numbers():
    with pytest.raises(ConfigError, match=r"data.shape: got \[8, 8\]"):
        Fake(shape=[8, 8]).load()
