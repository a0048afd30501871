"""The model that a configuration names."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from dlexp.build.contract import check, make, maker
from dlexp.build.start.frozen import freeze_layers
from dlexp.config.signature import read
from dlexp.error import ConfigError
from dlexp.init import initialize, output_layers, symmetry_warning
from dlexp.model.layer import Heads
from dlexp.random import derive, generator, seeded_default
from dlexp.type import RECONSTRUCT, Config

Outputs = int | Sequence[int]  # of one target, or of each of several


def build_model(config: Config, in_shape: tuple[int, ...], outputs: Outputs, seed: int) -> tuple[nn.Module, list[str]]:
    """Build and initialise the model; return it with warnings for the user.

    With several targets the trunk begins as that of the first alone, and each head as that of its target alone.

    Raises:
        ConfigError: The model does not fit the data.
    """
    made = [_build_initialised(config, in_shape, each, seed) for each in _sizes(outputs)]
    model = _joined([each for each, _ in made], outputs)
    freeze_layers(config, model)
    return model, made[0][1]


def _build_initialised(
    config: Config, in_shape: tuple[int, ...], num_outputs: int, seed: int
) -> tuple[nn.Module, list[str]]:
    model = _build_module(config, in_shape, num_outputs, seed)
    activation = check("activation", maker(config, "activation")(num_features=1))
    init = make(config, "init", activation_gain=activation.gain)
    initialize(model, init, generator(seed, "init"))
    warning = symmetry_warning(init)
    has_hidden = sum(p.dim() >= 2 for p in model.parameters()) > 1
    return model, [warning] if warning and has_hidden else []


def build_module(config: Config, in_shape: tuple[int, ...], outputs: Outputs, seed: int) -> nn.Module:
    """Build the model as its class makes it, with what is frozen marked.

    Raises:
        ConfigError: The model does not fit the data.
    """
    model = _joined([_build_module(config, in_shape, each, seed) for each in _sizes(outputs)], outputs)
    freeze_layers(config, model)
    return model


def _sizes(outputs: Outputs) -> Sequence[int]:
    return [outputs] if isinstance(outputs, int) else outputs


def _joined(models: list[nn.Module], outputs: Outputs) -> nn.Module:
    """Return the first model with the output layers of all in the place of its own."""
    if isinstance(outputs, int):
        return models[0]
    model, together = models[0], [output_layers(each) for each in models]
    places = {id(layer): path for path, layer in model.named_modules()}
    for layers in zip(*together, strict=True):
        path = places[id(layers[0])]
        parent, _, name = path.rpartition(".")
        setattr(model.get_submodule(parent), name, Heads(layers))
    return model


def _build_module(config: Config, in_shape: tuple[int, ...], num_outputs: int, seed: int) -> nn.Module:
    _require_decoder(config)
    program = {
        "in_shape": in_shape,
        "num_outputs": num_outputs,
        "task": config["task"],
        **{name: maker(config, name) for name in ("activation", "norm", "dropout")},
    }
    # A user's module may draw from torch's generator when it is made: seeded for the while, put back after.
    with seeded_default(derive(seed, "construct")):
        return make(config, "model", **program)


def build_meta_model(config: Config, in_shape: tuple[int, ...], outputs: Outputs) -> nn.Module:
    """Build the model as its class makes it, without weights: on the meta device, which knows shapes and no numbers.

    Raises:
        ConfigError: The model does not fit the data.
        RuntimeError: The constructor, a user's, computes with numbers.
    """
    with torch.device("meta"):
        return build_module(config, in_shape, outputs, seed=0)


def build_blank_model(config: Config, in_shape: tuple[int, ...], outputs: Outputs) -> nn.Module:
    """Build the model without weights, or with them where its constructor computes with numbers.

    Raises:
        ConfigError: The model does not fit the data.
    """
    try:
        return build_meta_model(config, in_shape, outputs)
    except RuntimeError:  # a true error comes again here
        return build_module(config, in_shape, outputs, seed=0)


def outputs_of(loss: Any) -> Outputs:
    """Return how many outputs a loss takes: those of each target where it has several."""
    return getattr(loss, "head_sizes", loss.num_outputs)


def _require_decoder(config: Config) -> None:
    """Refuse an architecture of dlexp that has no decoder for a task that needs one; a user's may have its own."""
    target = config["model"]["_target_"]
    if config["task"] == RECONSTRUCT and target.startswith("dlexp.") and "task" not in read(target).program:
        name = target.split(".")[-2]
        raise ConfigError(f"model: got {name} with task={RECONSTRUCT}; mlp and cnn have a decoder")
