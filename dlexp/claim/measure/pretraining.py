"""What an autoencoder learns, and what it gives to a classifier. Shapes: N examples, D inputs."""

from typing import Any

import numpy as np
from torch import Tensor

from dlexp.build.components import Components
from dlexp.build.program import assemble
from dlexp.config.resolve import resolve
from dlexp.engine.event import EpochEnd


def gain(seed: int, overrides: list[str], widths: list[int], epochs: int, epochs_each: int) -> float:
    """Return the validation accuracy after layer-wise pre-training less that without, after the same updates.

    Autoencoders of one layer, two, ... up to all are trained one after another, each from the layers of the one before;
    the classifier begins with the hidden layers of the last.

    Args:
        seed: Of weights and orders.
        overrides: Of the classifier.
        widths: Units of its hidden layers.
        epochs: Of the classifier.
        epochs_each: Of each autoencoder, which adam trains at 0.003.

    References:
        Bengio, Lamblin, Popovici and Larochelle (2007), Greedy Layer-Wise Training of Deep Networks, NeurIPS.
    """
    common, weights = [*overrides, f"seed={seed}"], {}
    autoencoder = ["task=reconstruct", "optimizer=adam", "optimizer.lr=0.003", f"trainer.epochs={epochs_each}"]
    for depth in range(1, len(widths) + 1):
        weights, _ = _trained([*_without_rule(common), *autoencoder, f"model.widths={widths[:depth]}"], weights)
    classifier = [*common, f"model.widths={widths}", f"trainer.epochs={epochs}"]
    after, before = (_trained(classifier, start)[1]["val/accuracy"] for start in (weights, {}))
    return after - before


def _without_rule(overrides: list[str]) -> list[str]:
    return [override for override in overrides if not override.startswith("optimizer")]


def excess_over_components(seed: int, code: int, overrides: list[str]) -> float:
    """Return the validation mse of an autoencoder's last epoch less that of as many principal components.

    Args:
        seed: Of weights and orders.
        code: Units of the code.
        overrides: Of the autoencoder.

    References:
        Baldi and Hornik (1989), Neural Networks and Principal Component Analysis, Neural Networks 2.
    """
    chosen = ["task=reconstruct", f"model.code={code}", f"seed={seed}", *overrides]
    built = Components.of(resolve(chosen).config)
    x = built.affine.apply(built.data.inputs)
    x_ND = (x.movedim(-1, 1) if built.data.is_image else x).flatten(1).double().numpy()
    train_ND, val_ND = x_ND[built.data.train.numpy()], x_ND[built.data.val.numpy()]
    mean_D = train_ND.mean(0)
    axes_KD = np.linalg.svd(train_ND - mean_D, full_matrices=False)[2][:code]
    left_ND = (val_ND - mean_D) - (val_ND - mean_D) @ axes_KD.T @ axes_KD
    return _trained(chosen, {})[1]["val/mse"] - float((left_ND**2).mean())


def _trained(overrides: list[str], weights: dict[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Train in memory; return the last weights and the metrics of the last epoch.

    Args:
        overrides: Of `dlexp train`.
        weights: That the layers of the same names begin with.
    """
    run = assemble(resolve([*overrides, "tracking=none"]).config).run
    forward, metrics = run.step.forward, {}
    random = forward.weights(0)
    forward.load_weights(0, random | {name: value for name, value in weights.items() if name in random})
    for event in run.events():
        if isinstance(event, EpochEnd):
            metrics = event.metrics
    return forward.weights(0), metrics
