import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from dlexp.data.synthetic import Fake, Spirals
from dlexp.error import ConfigError


def test_spirals_are_not_linearly_separable_but_separable():
    dataset = Spirals(noise=0.01).load()
    x, y = dataset.inputs.numpy(), dataset.targets.numpy()
    train, val = dataset.train.numpy(), dataset.val.numpy()
    assert LogisticRegression().fit(x[train], y[train]).score(x[val], y[val]) < 0.6
    assert KNeighborsClassifier(3).fit(x[train], y[train]).score(x[val], y[val]) > 0.97


def test_spiral_formula_without_noise():
    dataset = Spirals(num=100, num_classes=2, turns=0.0, noise=0.0).load()
    # Without turns the spirals are rays at angles 0 and pi.
    radius = dataset.inputs[:, 0].abs()
    assert dataset.inputs[:, 1].abs().max() < 1e-6
    assert ((dataset.inputs[:, 0] > 0) == (dataset.targets == 0)).all()
    assert radius.min() >= 0.1
    assert radius.max() <= 1


@pytest.mark.parametrize(("shape", "stored"), [([3, 8, 6], (8, 6, 3)), ([13], (13,))])
def test_fake(shape, stored):
    dataset = Fake(shape=shape, num_classes=7, num_train=50, num_val=20, num_test=5).load()
    assert dataset.in_shape == tuple(shape)
    assert tuple(dataset.inputs.shape) == (75, *stored)
    assert [len(part) for part in (dataset.train, dataset.val, dataset.test)] == [50, 20, 5]
    assert dataset.targets.max() < 7
    assert (
        dataset.fingerprint == Fake(shape=shape, num_classes=7, num_train=50, num_val=20, num_test=5).load().fingerprint
    )
    assert (
        dataset.fingerprint
        != Fake(shape=shape, num_classes=7, num_train=50, num_val=20, num_test=5, seed=1).load().fingerprint
    )


def test_fake_images_are_bytes():
    assert Fake(num_train=4, num_val=2).load().inputs.dtype == torch.uint8


def test_shape_of_two_numbers():
    with pytest.raises(ConfigError, match=r"data.shape: got \[8, 8\]"):
        Fake(shape=[8, 8]).load()
