"""The model that a configuration names."""

import torch
from torch import nn

from dlexp.build.node import Config, build, factory
from dlexp.init import initialize, symmetry_warning
from dlexp.random import derive, generator


def build_model(config: Config, in_shape: tuple[int, ...], num_outputs: int, seed: int) -> tuple[nn.Module, list[str]]:
    """Build and initialise the model; return it with warnings for the user.

    Raises:
        ConfigError: The model does not fit the data.
    """
    model = build_module(config, in_shape, num_outputs, seed)
    init = build(config["init"], activation_gain=factory(config["activation"])(num_features=1).gain)
    initialize(model, init, generator(seed, "init"))
    warning = symmetry_warning(init)
    has_hidden = sum(p.dim() >= 2 for p in model.parameters()) > 1
    return model, [warning] if warning and has_hidden else []


def build_module(config: Config, in_shape: tuple[int, ...], num_outputs: int, seed: int) -> nn.Module:
    """Build the model as its class makes it.

    Raises:
        ConfigError: The model does not fit the data.
    """
    program = {
        "in_shape": in_shape,
        "num_outputs": num_outputs,
        **{name: factory(config[name]) for name in ("activation", "norm", "dropout")},
    }
    # A user's module may draw from torch's generator when it is made: seeded for the while, put back after.
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(derive(seed, "construct"))
        return build(config["model"], **program)
