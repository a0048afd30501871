"""Random draws against their laws: variances of first weights, what dropout expects, independent streams.

Independence is looked for at all shifts at once: of n numbers each, the circular cross-correlation of two streams is
about N(0, 1) at each of n shifts; the largest of all may be what Bonferroni allows with a chance of 1e-4.
"""

import math
from collections.abc import Iterator
from itertools import combinations
from statistics import NormalDist

import numpy as np
import torch
from torch import nn

from benchmarks.audit.row import Row
from dlexp.build.components import components_of
from dlexp.build.dataset import load_data
from dlexp.build.node import build
from dlexp.build.program import make_program
from dlexp.config.catalog import read_option
from dlexp.config.resolve import resolve
from dlexp.data.fold import KFold
from dlexp.dropout import Classic, Inverted
from dlexp.engine.task import epoch_batches
from dlexp.random import derive, generator, hashed_uniform

SECTION = "draw"
CHANCE = 1e-4
FAN_IN, FAN_OUT = 300, 500
# variance of a weight (out, in) by the paper of each rule
VARIANCES = {
    "kaiming_normal": 2 / FAN_IN,
    "kaiming_uniform": 2 / FAN_IN,
    "xavier_normal": 2 / (FAN_IN + FAN_OUT),
    "xavier_uniform": 2 / (FAN_IN + FAN_OUT),
    "lecun_normal": 1 / FAN_IN,
    "lecun_uniform": 1 / FAN_IN,
    "normal": 0.01**2,
    "uniform": 0.05**2 / 3,
    "orthogonal": 1 / FAN_OUT,
}


def _bound(num_looks: int) -> float:
    return NormalDist().inv_cdf(1 - CHANCE / num_looks / 2)


def _variances() -> Iterator[Row]:
    for name, variance in VARIANCES.items():
        weight = torch.empty(FAN_OUT, FAN_IN, dtype=torch.float64)
        build(read_option("init", name)).fill(weight, generator(0, "init"))
        # of n values the sample variance has a deviation of at most sqrt(2 / n) of itself, uniform ones less
        z = (float(weight.square().mean()) / variance - 1) / math.sqrt(2 / weight.numel())
        quantity = f"variance {float(weight.square().mean()):.3e} beside {variance:.3e}, in standard errors"
        yield Row(SECTION, name, quantity, abs(z), 4.0)


def _dropout(repeats: int) -> Iterator[Row]:
    """Compare a linear network's mean output in training, over many masks, with its output in evaluation."""
    for kind in (Inverted, Classic):
        torch.manual_seed(0)
        layers = [layer for _ in range(3) for layer in (nn.Linear(16, 16, bias=False), kind(0.5))]
        net = nn.Sequential(*layers).double()
        x = torch.randn(1, 16, dtype=torch.float64)
        told = []
        for step in range(repeats):
            for place, layer in enumerate(each for each in net if isinstance(each, kind)):
                layer.seed.fill_(derive(0, "dropout", step, place))
            told.append(net(x)[0].detach().numpy())
        values = np.array(told)
        expected = net.eval()(x)[0].detach().numpy()
        z = (values.mean(0) - expected) / (values.std(0) / math.sqrt(repeats))
        quantity = "mean output over masks against evaluation's, in standard errors, the largest of 16"
        yield Row(SECTION, f"dropout, {kind.__name__.lower()}", quantity, float(np.abs(z).max()), _bound(16))


def _largest(streams: list[np.ndarray]) -> tuple[float, int]:
    """Return the largest |z| of the cross-correlations of every two streams at every shift, and their number."""
    num = len(streams[0])
    spectra = [np.fft.rfft((stream - stream.mean()) / stream.std()) for stream in streams]
    largest = 0.0
    pairs = list(combinations(range(len(streams)), 2))
    for a, b in pairs:
        z = np.fft.irfft(spectra[a] * spectra[b].conj(), num) / math.sqrt(num)
        largest = max(largest, float(np.abs(z).max()))
    return largest, len(pairs) * num


def _hashed(num: int) -> Iterator[Row]:
    names = {
        "layers": [(0, "dropout", 0, layer) for layer in range(12)],
        "steps": [(0, "dropout", step, 0) for step in range(12)],
        "trials": [(seed, "dropout", 0, 0) for seed in range(12)],
        "purposes": [(0, purpose, 0, 0) for purpose in ("init", "order", "augment", "dropout", "fold", "limit")],
    }
    for between, each in names.items():
        seeds = torch.tensor([derive(*name) for name in each])
        yield independent(f"masks of {between}", list(hashed_uniform((num,), seeds).double().numpy()))
    yield independent("masks of consecutive seeds", list(hashed_uniform((num,), torch.arange(12)).double().numpy()))
    drawn = [torch.rand(num, generator=generator(*name), dtype=torch.float64).numpy() for name in names["purposes"]]
    yield independent("generators of purposes", drawn)


def _program(num: int) -> Iterator[Row]:
    """Look at the masks that a training draws, layer by layer and step by step."""
    config = resolve(["tracking=none", "model.widths=[64,64,64]", "dropout=inverted", "trainer.threads=1"]).config
    data = load_data(config)
    run = make_program(components_of([config], [data]), "solo").run
    seen: list[np.ndarray] = []
    module = next(value for value in vars(run.step.forward).values() if isinstance(value, nn.Module))
    layers = [each for each in module.modules() if isinstance(each, Inverted)]
    for step in range(4):
        run.step.forward.seed_dropout([seed.dropout for seed in run.seeds], step)
        for layer in layers:
            layer.train()
            seen.append((layer(torch.ones(num)) > 0).double().numpy())
    yield independent("masks in a training, 3 layers, 4 steps", seen)
    orders = [
        torch.cat([batch.x for (batch,) in epoch_batches(run.task, run.trainer, run.seeds, epoch)]).double().numpy()
        for epoch in range(12)
    ]
    yield independent("orders of epochs", orders)
    weights = [make_program(components_of([{**config, "seed": seed}], [data]), "solo") for seed in range(8)]
    starts = [each.run.step.forward.flat.views[0].detach().double().flatten().numpy() for each in weights]
    yield independent("first weights of trials", starts)
    dealt, folds = [], KFold(5, 12, stratify=False).folds(data, 0)
    for repeat in range(12):
        held = [fold for fold in folds if fold.repeat == repeat]
        number = np.zeros(len(data.targets))
        for fold in held:
            number[fold.val.numpy()] = fold.fold
        dealt.append(number[torch.cat([data.train, data.val]).sort().values.numpy()])
    yield independent("folds of repeats", dealt)


def independent(name: str, streams: list[np.ndarray]) -> Row:
    """Return the row of streams (n,) that should have nothing in common."""
    largest, looks = _largest(streams)
    quantity = f"largest |z| of the cross-correlations of {len(streams)} streams at every shift"
    return Row(SECTION, name, quantity, largest, _bound(looks))


def rows(*, is_quick: bool) -> Iterator[Row]:
    """Yield the rows of every draw."""
    yield from _variances()
    yield from _dropout(500 if is_quick else 5000)
    num = 1 << 12 if is_quick else 1 << 16
    yield from _hashed(num)
    yield from _program(num)
