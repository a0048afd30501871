"""From a checked configuration to a run that is ready to train: data, model, rules, device."""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from dlexp import device as devices
from dlexp.augment.none import NoAugment
from dlexp.build import build, build_per_trial, factory
from dlexp.data.dataset import Dataset
from dlexp.data.feed import feed
from dlexp.engine.evaluate import score
from dlexp.engine.forward import Solo
from dlexp.engine.step import Rules, Step
from dlexp.engine.stopping import Stopping
from dlexp.engine.train import Run, Task, TrialSeeds, num_steps
from dlexp.engine.trainer import Trainer
from dlexp.error import ConfigError, did_you_mean
from dlexp.init import initialize, symmetry_warning
from dlexp.metric import is_better_high
from dlexp.random import derive, generator

Config = dict[str, Any]


@dataclass(frozen=True)
class Assembled:
    """A run with what was built around it.

    Attributes:
        run: Ready to train.
        dataset: The data with their split.
        model: The module that the run trains.
        device: Where.
        device_line: For the user: which device and why.
        warnings: For the user, one line each.
    """

    run: Run
    dataset: Dataset
    model: nn.Module
    device: torch.device
    device_line: str
    warnings: list[str]


def assemble(config: Config) -> Assembled:
    """Build everything that a configuration names.

    Raises:
        ConfigError: Options that do not fit each other or the data.
        DataError: Absent or unusable data.
    """
    trainer: Trainer = build(config["trainer"])
    device, device_line = devices.choose(trainer.device)
    dataset = load_data(config)
    seeds = trial_seeds(config)
    loss = build_loss(config, dataset, device)
    model, warnings = build_model(config, dataset, loss, seeds.init)
    threads = trainer.threads or devices.suggest_threads(model, trainer.batch_size)
    devices.configure(device, threads=threads, tf32=trainer.tf32)
    forward = Solo(
        model, device=device, channels_last=trainer.channels_last and dataset.is_image, compile=trainer.compile
    )
    task = _task(config, dataset, device)
    rules = _rules(config, trainer, loss, num_steps(len(dataset.train), trainer), device)
    monitor = choose_monitor(trainer.monitor, loss, dataset)
    stopping = Stopping(is_better_high(monitor), trainer.patience, trainer.min_delta)
    schedule_state = rules.schedule.start(1, device) if hasattr(rules.schedule, "start") else {}
    step = Step(forward, rules, model, trainer.precision)
    run = Run(task, forward, step, trainer, seeds, monitor, stopping, schedule_state)
    if device.type == "cpu":
        device_line += f", {torch.get_num_threads()} thread(s)"
    return Assembled(run, dataset, model, device, device_line, warnings)


def load_data(config: Config) -> Dataset:
    """Load the data set and settle its task.

    Raises:
        DataError: From the source.
        ConfigError: The task asked for does not fit the targets.
    """
    return build(config["data"]).load(config["task"])


def trial_seeds(config: Config) -> TrialSeeds:
    """Return the seed of each stream: its own, or the run's."""
    apart = {name: value for name, value in config["seeds"].items() if name != "_target_"}
    return TrialSeeds(**{name: config["seed"] if value is None else value for name, value in apart.items()})


def build_loss(config: Config, dataset: Dataset, device: torch.device) -> Any:
    """Build the loss for the data's task."""
    program = {"task": dataset.task, "num_classes": dataset.num_classes}
    loss = build_per_trial([config["loss"]], dtype=torch.float32, device=device, **program)
    if hasattr(loss, "balance"):
        loss.balance(dataset.targets[dataset.train])
    return loss


def build_model(config: Config, dataset: Dataset, loss: Any, seed: int) -> tuple[nn.Module, list[str]]:
    """Build and initialise the model; return it with warnings for the user.

    Raises:
        ConfigError: The model does not fit the data.
    """
    activation = factory(config["activation"])
    program = {
        "in_shape": dataset.in_shape,
        "num_outputs": loss.num_outputs,
        "activation": activation,
        "norm": factory(config["norm"]),
        "dropout": factory(config["dropout"]),
    }
    # A user's module may draw from torch's generator when it is made: seeded for the while, put back after.
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(derive(seed, "construct"))
        model = build(config["model"], **program)
    init = build(config["init"], gain=activation(num_features=1).gain)
    initialize(model, init, generator(seed, "init"))
    warning = symmetry_warning(init)
    has_hidden = sum(p.dim() >= 2 for p in model.parameters()) > 1
    return model, [warning] if warning and has_hidden else []


def _task(config: Config, dataset: Dataset, device: torch.device) -> Task:
    augment = build(config["augment"], num_classes=dataset.num_classes)
    if not len(dataset.val):
        raise ConfigError("data.val_fraction: got no validation examples; a run needs some to choose its best epoch")
    is_augmented = not isinstance(augment, NoAugment)
    affine = build(config["normalize"]).fit(dataset.inputs, dataset.train)
    # Floats that nothing changes afterwards are normalised once instead of in every batch.
    is_ready = dataset.inputs.is_floating_point() and not is_augmented
    source = replace(dataset, inputs=affine.apply(dataset.inputs)) if is_ready else dataset
    return Task(
        feed=feed(source, device, devices.free_bytes(device)),
        affine=None if is_ready else affine.to(device),
        augment=augment if is_augmented else None,
        train=dataset.train,
        val=dataset.val,
        val_targets=dataset.targets[dataset.val].to(device).unsqueeze(0),
        num_classes=dataset.num_classes,
        is_image=dataset.is_image,
    )


def _rules(config: Config, trainer: Trainer, loss: Any, steps_per_epoch: int, device: torch.device) -> Rules:
    kind = {"dtype": torch.float32, "device": device}

    def per_trial(value: float | None) -> Tensor | None:
        return None if value is None else torch.tensor([[value]], **kind)

    steps = {"total_steps": steps_per_epoch * trainer.epochs, "steps_per_epoch": steps_per_epoch}
    return Rules(
        loss=loss,
        optimizer=build_per_trial([config["optimizer"]], **kind),
        schedule=build_per_trial([config["schedule"]], dtype=torch.float64, device="cpu", **steps),
        regularizer=build_per_trial([config["regularizer"]], **kind),
        grad_clip=per_trial(trainer.grad_clip),
        ema=per_trial(trainer.ema),
    )


def choose_monitor(asked: str, loss: Any, dataset: Dataset) -> str:
    """Return the metric that chooses the best epoch.

    Raises:
        ConfigError: No such metric for this task.
    """
    if asked == "auto":
        return "val/accuracy" if dataset.num_classes else "val/loss"
    outputs = torch.zeros(1, 2, loss.num_outputs)
    known = [f"val/{name}" for name in score(outputs, dataset.targets[:2].unsqueeze(0), loss, dataset.num_classes)]
    known += ["train/loss", "train/accuracy"] if dataset.num_classes else ["train/loss"]
    if asked not in known:
        raise ConfigError(f"trainer.monitor: got {asked}; choose one of {', '.join(known)}{did_you_mean(asked, known)}")
    return asked
