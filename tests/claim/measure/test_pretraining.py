import pytest
import torch

from dlexp.claim.measure import pretraining
from dlexp.claim.measure.pretraining import excess_over_components, gain

SMALL = ["data=digits", "data.limit=60", "trainer.batch_size=20", "norm=none", "trainer.monitor=train/loss"]


def test_a_linear_autoencoder_comes_near_the_components_and_a_blank_one_does_not():
    linear = [*SMALL, "model.widths=[8]", "activation=identity", "optimizer=adam", "optimizer.lr=0.02"]
    far, near = (excess_over_components(0, 2, [*linear, f"trainer.epochs={epochs}"]) for epochs in (1, 60))
    assert far > 0.2
    assert abs(near) < 0.05


def test_each_autoencoder_and_the_classifier_begin_with_the_layers_before(monkeypatch):
    trained, begun = pretraining._trained, []

    def spy(overrides, weights):
        begun.append((set(weights), weights.get("hidden.0.linear.weight")))
        return trained(overrides, weights)

    monkeypatch.setattr(pretraining, "_trained", spy)
    gain(0, [*SMALL, "optimizer=sgd", "optimizer.lr=0.1"], [4, 3], epochs=1, epochs_each=1)
    names = [each for each, _ in begun]
    assert names[0] == set()
    assert {"hidden.0.linear.weight", "decoder.dense.0.weight"} <= names[1]
    assert {"hidden.0.linear.weight", "hidden.1.linear.weight"} <= names[2]
    assert names[3] == set()
    first, second = begun[1][1], begun[2][1]
    assert first is not None
    assert second is not None
    assert not torch.equal(first, second)


def test_the_same_seed_has_the_same_gain():
    given = (1, [*SMALL, "optimizer=sgd", "optimizer.lr=0.1"], [4])
    assert gain(*given, epochs=1, epochs_each=1) == pytest.approx(gain(*given, epochs=1, epochs_each=1), abs=0)
