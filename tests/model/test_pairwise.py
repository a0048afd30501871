"""Every pair of model, activation, norm, dropout and init options trains two steps, or is refused with the reason."""

from contextlib import suppress
from functools import partial
from itertools import combinations
from pathlib import Path

import pytest
import torch
import yaml

import dlexp.model.densenet
import dlexp.model.inception
import dlexp.model.nin
import dlexp.model.resnet
import dlexp.model.resnext
import dlexp.model.vgg
from dlexp.activation import ReLU
from dlexp.build.node import build, factory
from dlexp.config.rule.fitted import is_fitted
from dlexp.config.signature import read
from dlexp.dropout import NoDropout
from dlexp.error import ConfigError
from dlexp.init import initialize
from dlexp.norm import NoNorm
from tests.cover import cover, pairs_of

CONF = Path(__file__).parents[2] / "conf"
GROUPS = ["model", "activation", "norm", "dropout", "init"]
SMALL = {
    "resnet": {"depth": 8},
    "resnext": {"depth": 50, "groups": 4, "width_per_group": 4},
    "densenet": {"depth": 121, "growth_rate": 8},
    "vgg": {"depth": 11},
    "mlp": {"widths": [16, 16]},
    "cnn": {"channels": [8, 8]},
}


@pytest.fixture
def narrow(monkeypatch):
    """Few channels and units, so that the whole cover takes seconds; the architectures are unchanged."""
    monkeypatch.setattr(dlexp.model.vgg, "CHANNELS", (8, 8, 16, 16, 16))
    monkeypatch.setattr(dlexp.model.nin, "SMALL", tuple((conv, (8,) * len(c)) for conv, c in dlexp.model.nin.SMALL))
    monkeypatch.setattr(dlexp.model.inception, "MODULES", dict.fromkeys(dlexp.model.inception.MODULES, (8,) * 6))
    monkeypatch.setitem(dlexp.model.resnext.UNITS, 50, (1, 1, 1, 1))
    monkeypatch.setitem(dlexp.model.densenet.BLOCKS, 121, (2, 2, 2, 2))


def options(group):
    """Return each option's parameters, as its YAML states them."""
    nodes = {}
    for path in sorted((CONF / group).glob("[!_]*.yaml")):
        node = yaml.safe_load(path.read_text())
        node.pop("defaults", None)
        nodes[path.stem] = node
    if group == "model":
        del nodes["torchvision"]  # it brings its own blocks
        nodes = {name: node for name, node in nodes.items() if not is_fitted(node["_target_"])}  # without blocks
        for name, changes in SMALL.items():
            nodes[name].update(changes)
    return nodes


def norming_vectors(models):
    """Return the models that take vectors and a norm."""
    offered = {"activation": partial(ReLU), "norm": partial(NoNorm), "dropout": partial(NoDropout)}
    taking = set()
    for name, node in models.items():
        if "norm" in read(node["_target_"]).program:
            with suppress(ConfigError), torch.device("meta"):
                build(node, in_shape=(13,), num_outputs=10, **offered)
                taking.add(name)
    return taking


def two_steps(nodes, x, y):
    """Train two steps of gradient descent; return both losses."""
    model_node, activation_node, norm_node, dropout_node, init_node = nodes
    activation = factory(activation_node)
    blocks = {"activation": activation, "norm": factory(norm_node), "dropout": factory(dropout_node)}
    model = build(model_node, in_shape=(3, 32, 32), num_outputs=10, **blocks)
    init = build(init_node, activation_gain=activation(num_features=1).gain)
    initialize(model, init, torch.Generator().manual_seed(0))
    losses = []
    for _ in range(2):
        outputs = model(x)
        outputs = outputs if isinstance(outputs, list) else [outputs]
        loss = torch.stack([torch.nn.functional.cross_entropy(output, y) for output in outputs]).sum()
        gradients = torch.autograd.grad(loss, list(model.parameters()))
        with torch.no_grad():
            for parameter, gradient in zip(model.parameters(), gradients, strict=True):
                assert gradient.isfinite().all()
                parameter -= 0.001 * gradient
        losses.append(loss.item())
    return losses


def test_the_cover_holds_every_pair():
    factors = [list(options(group)) for group in GROUPS]
    rows = cover(factors)
    covered = set().union(*map(pairs_of, rows))
    assert len(covered) == sum(len(a) * len(b) for a, b in combinations(factors, 2))
    largest, second = sorted(map(len, factors), reverse=True)[:2]
    assert len(rows) < 1.5 * largest * second


def test_every_pair_trains_two_steps_or_is_refused_with_the_reason(narrow):
    groups = [options(group) for group in GROUPS]
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(4, 3, 32, 32, generator=generator), torch.tensor([0, 3, 3, 9])
    refused = set()
    for row in cover([list(group) for group in groups]):
        try:
            losses = two_steps([group[name] for group, name in zip(groups, row, strict=True)], x, y)
        except ConfigError as error:
            refused.add((row[0], row[2], str(error)))
            continue
        assert all(torch.tensor(losses).isfinite()), (row, losses)
    vectors = norming_vectors(groups[0])
    assert "mlp" in vectors
    assert {(model, norm) for model, norm, _ in refused} == {(model, "instance") for model in vectors}
    assert all(reason.startswith("norm: got instance norm on vectors") for _, _, reason in refused)
