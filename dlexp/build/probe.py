"""One configuration tried without training: everything is built, and a blank batch goes through the model.

Large models run on the meta device, which computes shapes and nothing else. Small ones run as they are: a forward pass
takes milliseconds, the meta device's batch norm three seconds of imports.
"""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from dlexp.build.contract import make_per_trial, try_augment
from dlexp.build.dataset import check_parts
from dlexp.build.model import build_blank_model, build_module, outputs_of
from dlexp.build.node import build
from dlexp.build.objective import build_loss, build_metrics, choose_monitor, make_augment
from dlexp.build.start.fit import load_start
from dlexp.config.source.fault import user_fault, user_place
from dlexp.data.dataset import Dataset
from dlexp.engine.task import num_steps
from dlexp.engine.trainer import Trainer
from dlexp.error import ConfigError, DlexpError, first_line, is_out_of_memory
from dlexp.model.fitted.fitted import Fitted
from dlexp.type import Config

FEW = 2  # examples that go through augmentation, model and loss
LARGE = 5_000_000  # parameters


def probe(config: Config, dataset: Dataset) -> int:
    """Build everything that a configuration names and send a batch through; return the number of parameters.

    Args:
        config: Checked.
        dataset: Its data.

    Raises:
        ConfigError: Something in it cannot work, or does not fit the rest or the data.
    """
    trainer: Trainer = build(config["trainer"])
    check_parts([dataset], trainer, config.get("train_on", "train"))
    loss = build_loss([config], [dataset], torch.device("cpu"))
    choose_monitor(trainer.monitor, loss, dataset, build_metrics(config, dataset))
    _try_rules(config, trainer, num_steps(len(dataset.train), trainer))
    _try_examples(config, dataset, loss)
    model = build_blank_model(config, dataset.in_shape, outputs_of(loss))
    load_start(config, model.to("meta"))
    if isinstance(model, Fitted):
        model.require(len(dataset.train))
    num_params = sum(p.numel() for p in model.parameters())
    if num_params > LARGE:
        shape, _ = trace(model, dataset.in_shape, dataset.inputs_each * trainer.batch_size)
    else:
        blank = torch.zeros(min(trainer.batch_size, FEW), *dataset.in_shape)
        shape = _run(build_module(config, dataset.in_shape, outputs_of(loss), seed=0), blank)
    if shape[-1] != loss.num_outputs or len(shape) != 2:
        raise ConfigError(f"model: got outputs {shape}; {[shape[0], loss.num_outputs]} are needed")
    return num_params


def reason_against(config: Config, dataset: Dataset) -> str:
    """Return why a configuration cannot be trained, in one line; "" when nothing speaks against it.

    Raises:
        Exception: From the user's code.
    """
    try:
        probe(config, dataset)
    except DlexpError as error:
        if user_place(error.__cause__):
            raise
        return user_fault(error) or str(error)
    except (RuntimeError, ValueError, TypeError, AssertionError) as error:
        if user_place(error):
            raise
        return f"{type(error).__name__}: {first_line(error)}"
    return ""


def _try_rules(config: Config, trainer: Trainer, steps_per_epoch: int) -> None:
    kind = {"dtype": torch.float32, "device": "cpu"}
    steps = {"total_steps": steps_per_epoch * trainer.epochs, "steps_per_epoch": steps_per_epoch}
    make_per_trial([config["optimizer"]], "optimizer", **kind)
    make_per_trial([config["schedule"]], "schedule", dtype=torch.float64, device="cpu", **steps)
    make_per_trial([config["regularizer"]], "regularizer", **kind)


def _try_examples(config: Config, dataset: Dataset, loss: Any) -> None:
    """Augment a few examples and take the loss of blank outputs for them."""
    rows = dataset.train[:FEW]
    targets = try_augment(make_augment(config, dataset), dataset, rows)
    loss(torch.zeros(1, len(rows), loss.num_outputs), targets.unsqueeze(0))


@torch.no_grad()
def _run(model: nn.Module, blank: Tensor) -> list[int]:
    try:
        outputs = model.train()(blank)
    except (RuntimeError, ValueError) as error:
        if is_out_of_memory(error):
            raise
        reason = first_line(error)
        raise ConfigError(f"model: got a batch of shape {list(blank.shape)}; {reason}") from error
    return list((outputs[0] if isinstance(outputs, list) else outputs).shape)


def trace(model: nn.Module, in_shape: tuple[int, ...], batch_size: int) -> tuple[list[int], int]:
    """Run one batch on the meta device, which computes shapes and nothing else.

    Args:
        model: Left as it is; a copy on the meta device runs.
        in_shape: Shape of an example.
        batch_size: Examples.

    Returns:
        The shape of the outputs, and the bytes that autograd keeps for the backward pass.

    Raises:
        ConfigError: The shapes do not fit.
    """
    twin = copy.deepcopy(model).to("meta").train()
    saved_bytes: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        owner = tensor if tensor._base is None else tensor._base  # a view costs nothing of its own
        saved_bytes[id(owner)] = owner.numel() * owner.element_size()
        held.append(owner)  # or its id could be given to another
        return tensor

    held: list[Tensor] = []
    try:
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            outputs = twin(torch.empty(batch_size, *in_shape, device="meta"))
    except RuntimeError as error:
        raise ConfigError(f"model: got a batch of shape {[batch_size, *in_shape]}; {error}") from error
    main = outputs[0] if isinstance(outputs, list) else outputs
    parameters = {id(p) for p in twin.parameters()}
    return list(main.shape), sum(size for key, size in saved_bytes.items() if key not in parameters)
