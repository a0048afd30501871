"""Other tasks than one target's, and a frozen layer, by gradient descent: last weights and the losses of every epoch.

The first weights and which examples stand in which batch are dlexp's; everything else is written from the formulas.
Shapes: N examples or pairs, D inputs, J targets, K outputs.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import sklearn.datasets
import torch
from torch import Tensor

from benchmarks.audit.loop import prepare
from benchmarks.audit.row import ROUNDING, Row, apart
from benchmarks.audit.training import COMMON, drilled
from dlexp.build.components import components_of
from dlexp.build.dataset import load_data
from dlexp.build.program import make_program
from dlexp.config.resolve import resolve
from dlexp.data.dataset import Dataset
from dlexp.engine.snapshot import snapshot
from dlexp.engine.task import epoch_batches

SECTION = "task"
Weights = dict[str, Tensor]
Loss = Callable[[Weights, Tensor], Tensor]  # weights and rows to the mean loss
NET = ("norm=none", "model.widths=[12,9]", "optimizer=sgd", "optimizer.lr=0.05")
DIGITS = ("data=digits", "data.limit=150")
PAIRS = (*DIGITS, "task=pairs", "pairs.train=60", "pairs.held_out=40")


def _layer(weights: Weights, name: str, x_ND: Tensor) -> Tensor:
    return x_ND @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def _hidden(weights: Weights, x_ND: Tensor) -> Tensor:
    for layer in range(2):
        x_ND = _layer(weights, f"hidden.{layer}.linear", x_ND).clamp(min=0)
    return x_ND


def _reconstruction(data: Dataset, _config: dict[str, Any]) -> Loss:
    """Return mean over examples and inputs of (z - x)^2: the encoder's layers in reverse behind a linear code."""
    x_ND = prepare("digits", data.train).x

    def loss(weights: Weights, rows: Tensor) -> Tensor:
        z_ND = _layer(weights, "code", _hidden(weights, x_ND[rows]))
        for layer in (2, 1):
            z_ND = _layer(weights, f"decoder.dense.{layer}.linear", z_ND).clamp(min=0)
        return ((_layer(weights, "decoder.dense.0", z_ND) - x_ND[rows]) ** 2).mean()

    return loss


def _targets(data: Dataset, config: dict[str, Any]) -> Loss:
    """Return sum_j w_j mean_n (z_nj - y_nj)^2, inputs and targets with mean 0 and deviation 1 in the training part."""
    x_ND, y_NJ = (torch.as_tensor(each).double() for each in sklearn.datasets.load_linnerud(return_X_y=True))
    x_ND, y_NJ = ((each - each[data.train].mean(0)) / each[data.train].std(0, correction=0) for each in (x_ND, y_NJ))
    weight_J = torch.tensor(config["loss"]["weights"] or [1.0] * y_NJ.shape[1])

    def loss(weights: Weights, rows: Tensor) -> Tensor:
        hidden_NE = _hidden(weights, x_ND[rows])
        z_NJ = torch.cat([_layer(weights, f"output.heads.{j}", hidden_NE) for j in range(y_NJ.shape[1])], 1)
        return (weight_J * ((z_NJ - y_NJ[rows]) ** 2).mean(0)).sum()

    return loss


def _pairs(data: Dataset, config: dict[str, Any]) -> Loss:
    """Return the loss of pairs, one branch for both.

    Cosine similarity s: 1 - s of the same, max(0, s - margin) of different ones. Contrastive (Hadsell, Chopra and LeCun
    2006, equation 4), distance d: d^2 / 2 of the same, max(0, margin - d)^2 / 2 of different ones.
    """
    assert data.pairs is not None
    members_N2, is_same_N, margin = data.pairs, data.targets == 1, config["loss"]["margin"]
    x_ND = prepare("digits", data.members(data.train)).x
    is_cosine = config["loss"]["_target_"].endswith("Cosine")

    def loss(weights: Weights, rows: Tensor) -> Tensor:
        a_NK, b_NK = (_layer(weights, "output", _hidden(weights, x_ND[each])) for each in members_N2[rows].T)
        if is_cosine:
            s_N = (a_NK * b_NK).sum(1) / (a_NK.norm(dim=1) * b_NK.norm(dim=1))
            return torch.where(is_same_N[rows], 1 - s_N, (s_N - margin).clamp(min=0)).mean()
        d_N = (a_NK - b_NK).norm(dim=1)
        return torch.where(is_same_N[rows], d_N**2, (margin - d_N).clamp(min=0) ** 2).mean() / 2

    return loss


def _classes(data: Dataset, _config: dict[str, Any]) -> Loss:
    """Return mean -log p(y) of a softmax."""
    prepared = prepare("digits", data.train)

    def loss(weights: Weights, rows: Tensor) -> Tensor:
        z_NK = _layer(weights, "output", _hidden(weights, prepared.x[rows]))
        return (z_NK.logsumexp(1) - z_NK[torch.arange(len(rows)), prepared.y[rows]]).mean()

    return loss


SETUPS: dict[str, tuple[Callable[[Dataset, dict[str, Any]], Loss], tuple[str, ...]]] = {
    "reconstruct": (_reconstruction, (*DIGITS, "task=reconstruct", "model.code=4")),
    "several targets": (_targets, ("data=linnerud", "trainer.batch_size=5")),
    "several targets, weights": (_targets, ("data=linnerud", "trainer.batch_size=5", "loss.weights=[0.5,0,2]")),
    "pairs, cosine": (_pairs, (*PAIRS, "loss=cosine")),
    "pairs, cosine, margin 0.4": (_pairs, (*PAIRS, "loss=cosine", "loss.margin=0.4")),
    "pairs, contrastive": (_pairs, (*PAIRS, "loss=contrastive", "loss.margin=2")),
    "frozen hidden.0": (_classes, (*DIGITS, "freeze=[hidden.0]")),
    "frozen hidden.0 until epoch 1": (_classes, (*DIGITS, "freeze=[hidden.0]", "freeze.until=1")),
}


def compared(name: str) -> tuple[float, float]:
    """Return how far apart the last weights, and the losses of all epochs, are."""
    make, overrides = SETUPS[name]
    chosen = {key: value for key, _, value in (each.partition("=") for each in (*COMMON, *NET, *overrides))}
    config = resolve([f"{key}={value}" for key, value in chosen.items()]).config
    data = load_data(config)
    run, freeze = make_program(components_of([config], [data]), "solo").run, config["freeze"]
    weights = {key: value.clone().requires_grad_() for key, value in snapshot(run)[0].items()}
    loss, told = make(data, config), []
    for epoch in range(config["trainer"]["epochs"]):
        losses, sizes = [], []
        is_frozen = bool(freeze["layers"]) and (freeze["until"] is None or epoch < freeze["until"])
        for rows in [batch.x for (batch,) in epoch_batches(run.task, run.trainer, run.seeds, epoch)]:
            value = loss(weights, rows)
            gradients = torch.autograd.grad(value, list(weights.values()))
            for (key, weight), gradient in zip(weights.items(), gradients, strict=True):
                rate = 0.0 if is_frozen and key.startswith("hidden.0") else config["optimizer"]["lr"]
                weights[key] = (weight - rate * gradient).detach().requires_grad_()
            losses.append(float(value.detach()))
            sizes.append(len(rows))
        told.append((float(np.average(losses, weights=sizes)), float(loss(weights, data.val).detach())))
    ours, figures = drilled(run)
    distance = max(apart(ours[key], value.detach()) for key, value in weights.items())
    return distance, max(
        apart((epoch["train/loss"], epoch["val/loss"]), each) for epoch, each in zip(figures, told, strict=True)
    )


def rows(*, is_quick: bool) -> Iterator[Row]:
    """Yield two rows for each setup."""
    torch.set_num_threads(1)
    for name in list(SETUPS)[: 3 if is_quick else None]:
        weights, losses = compared(name)
        yield Row(SECTION, name, "weights after 3 epochs against gradient descent by its formulas", weights, ROUNDING)
        yield Row(SECTION, name, "losses of each epoch", losses, ROUNDING)
