"""Signals through networks whose factor is known: linear layers of orthogonal weights keep every length."""

import pytest

from dlexp.claim.measure.signal import gradient_spread, shrinkage, spread

LINEAR = ["model.widths=[64,64,64,64]", "norm=none", "activation=identity"]


def test_orthogonal_linear_layers_keep_signals_and_gradients():
    network = [*LINEAR, "init=orthogonal"]
    assert shrinkage(0, network) == pytest.approx(1.0, rel=1e-5)
    assert spread(0, network) == pytest.approx(1.0, rel=0.02)
    assert gradient_spread(0, network) == pytest.approx(1.0, rel=0.02)


def test_a_gain_multiplies_each_layer():
    network = [*LINEAR, "init=orthogonal", "init.gain=0.5"]
    assert shrinkage(0, network) == pytest.approx(0.5, rel=1e-5)
    assert gradient_spread(0, network) == pytest.approx(0.5**3, rel=0.02)
