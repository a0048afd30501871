"""From checked configurations to a run that is ready to train: data, models, rules, device.

One configuration makes a solo run; several of equal structure make one program of many trials.
"""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from dlexp import device as devices
from dlexp.augment.none import NoAugment
from dlexp.build.dataset import check_parts, load_data
from dlexp.build.model import build_model
from dlexp.build.node import Config, build, build_per_trial
from dlexp.build.objective import build_loss, build_metrics, choose_monitor
from dlexp.build.room import require_room
from dlexp.data.dataset import Dataset
from dlexp.data.feed import feed
from dlexp.data.target_scale import TargetScale
from dlexp.direction import is_better_high
from dlexp.engine.stack.kind import make_forward
from dlexp.engine.step import Rules, Step
from dlexp.engine.stopping import Stopping
from dlexp.engine.task import Task, TrialSeeds, are_equal, num_steps
from dlexp.engine.train import Run
from dlexp.engine.trainer import Trainer
from dlexp.error import DataError, first_ten
from dlexp.normalize import Affine


@dataclass(frozen=True)
class Assembled:
    """A run with what was built around it.

    Attributes:
        run: Ready to train.
        datasets: Each trial's data with its split; folds differ in the split only.
        models: Each trial's initialised module; a solo run trains its own in place, a stack copies their values.
        affine: The normalisation of all trials, or of each; see `dlexp.engine.task.Task`.
        device: Where.
        device_line: For the user: which device and why.
        warnings: For the user, one line each.
    """

    run: Run
    datasets: list[Dataset]
    models: list[nn.Module]
    affine: Affine
    device: torch.device
    device_line: str
    warnings: list[str]

    @property
    def dataset(self) -> Dataset:
        """The data of the only trial, or of the first."""
        return self.datasets[0]

    @property
    def model(self) -> nn.Module:
        """The module of the only trial, or of the first."""
        return self.models[0]


def assemble(config: Config, dataset: Dataset | None = None) -> Assembled:
    """Build everything that one configuration names.

    Args:
        config: Checked.
        dataset: Loaded already, or a fold; None loads what the configuration says.

    Raises:
        ConfigError: Options that do not fit each other or the data.
        DataError: Absent or unusable data.
    """
    return assemble_group([config], [load_data(config) if dataset is None else dataset])


def assemble_group(configs: list[Config], datasets: list[Dataset], engine: str = "solo") -> Assembled:
    """Build one program of T trials.

    Args:
        configs: Checked, of equal structure: see `dlexp.build.structure`.
        datasets: One for each trial; all share their examples.
        engine: "solo" (one trial), "batched", "vmapped" or "graphed".

    Raises:
        ConfigError: Options that do not fit each other or the data.
    """
    trainer: Trainer = build(configs[0]["trainer"])
    device, device_line = devices.choose(trainer.device)
    dtype = _dtype(trainer)
    loss = build_loss(configs, datasets, device, dtype)
    optimizer = build(configs[0]["optimizer"])
    batch_size, in_shape = trainer.batch_size, datasets[0].in_shape
    require_room(configs[0], in_shape, loss.num_outputs, optimizer, len(configs), batch_size, dtype, device)
    seeds = [trial_seeds(config) for config in configs]
    built = [
        build_model(config, dataset, loss, seed.init)
        for config, dataset, seed in zip(configs, datasets, seeds, strict=True)
    ]
    models = [model.to(dtype) for model, _ in built]
    threads = trainer.threads or devices.suggest_threads(models[0], trainer.batch_size)
    devices.configure(device, threads=threads, tf32=trainer.tf32)
    channels_last = trainer.channels_last and datasets[0].is_image
    forward = make_forward(engine, models, device=device, channels_last=channels_last, compile=trainer.compile)
    affine = _fit(configs, datasets)
    _require_range(datasets[0], affine, dtype)
    warnings = built[0][1] + check_parts(datasets, trainer, configs[0].get("train_on", "train"))
    task = replace(_task(configs, datasets, device, affine, trainer), dtype=dtype)
    rules = _rules(configs, trainer, loss, num_steps(task.num_drawn, trainer), forward.flat.tensor)
    monitor = choose_monitor(trainer.monitor, loss, datasets[0], task.metrics, device)
    run = Run(
        task=task,
        step=Step(forward, rules, models[0], trainer.precision),
        trainer=trainer,
        seeds=seeds,
        monitor=monitor,
        stopping=[Stopping(is_better_high(monitor), trainer.patience, trainer.min_delta) for _ in configs],
        schedule_state=rules.schedule.start(len(configs), device) if hasattr(rules.schedule, "start") else {},
        trials=list(range(len(configs))),
    )
    if device.type == "cpu":
        device_line += f", {torch.get_num_threads()} thread(s)"
    return Assembled(run, datasets, models, affine, device, device_line, warnings)


def _task(
    configs: list[Config], datasets: list[Dataset], device: torch.device, affine: Affine, trainer: Trainer
) -> Task:
    first = datasets[0]
    augments = [build(config["augment"], num_classes=first.num_classes) for config in configs]
    _try_augments(augments, first)
    is_augmented = not all(isinstance(augment, NoAugment) for augment in augments)
    # Floats that nothing changes afterwards are normalised once instead of in every batch.
    is_ready = first.inputs.is_floating_point() and not is_augmented and affine.scale.dim() == 1
    source = replace(first, inputs=_normalized(affine, first.inputs, _dtype(trainer))) if is_ready else first
    return Task(
        feed=feed(source, device, devices.free_bytes(device)),
        affine=None if is_ready else affine.to(device),
        augments=[None if isinstance(augment, NoAugment) else augment for augment in augments],
        train=[dataset.train for dataset in datasets],
        val=[dataset.val for dataset in datasets],
        targets=devices.send(first.targets, device),
        num_classes=first.num_classes,
        is_image=first.is_image,
        unit=None if first.num_classes else _fit_unit(datasets).to(device),
        metrics=build_metrics(configs[0], first),
        oversampled=first.targets.cpu() if trainer.oversample else None,
    )


def _try_augments(augments: list[Any], data: Dataset) -> None:
    """Augment two examples: what cannot be done to them is refused before the run begins."""
    rows = data.train[:2]
    x = data.inputs[rows].movedim(-1, -3) if data.is_image else data.inputs[rows]
    for augment in augments:
        augment(x.clone(), data.targets[rows], torch.Generator().manual_seed(0))


def _normalized(affine: Affine, inputs: Tensor, dtype: torch.dtype) -> Tensor:
    """Return all inputs normalised, a piece at a time: float64 copies of a large table are never held whole."""
    if inputs.dim() > 2:
        return affine.apply(inputs, dtype=dtype)
    normalized = torch.empty(inputs.shape, dtype=dtype)
    for start in range(0, len(inputs), 1 << 16):
        normalized[start : start + (1 << 16)] = affine.apply(inputs[start : start + (1 << 16)], dtype=dtype)
    return normalized


def _dtype(trainer: Trainer) -> torch.dtype:
    return torch.float64 if trainer.precision == "fp64" else torch.float32


def _require_range(data: Dataset, affine: Affine, dtype: torch.dtype) -> None:
    """Refuse inputs that normalisation leaves beyond what the model computes in."""
    if data.is_image or data.inputs.dtype != torch.float64:
        return
    sizes_D = torch.stack([rows.nan_to_num(0).abs().amax(0) for rows in data.inputs.split(1 << 16)]).amax(0)
    reached_D = (sizes_D * affine.scale.abs() + affine.shift.abs()).view(-1, len(sizes_D)).amax(0)
    beyond = (reached_D > torch.finfo(dtype).max).nonzero().flatten().tolist()
    if beyond:
        names = data.feature_names or [str(k) for k in range(len(sizes_D))]
        raise DataError(
            f"{data.name}, {first_ten('column', [names[k] for k in beyond])}: got values up to "
            f"{float(sizes_D[beyond[0]]):.4g}; {dtype} ends at 3.4e38: set normalize=standard, or another unit"
        )


def _fit(configs: list[Config], datasets: list[Dataset]) -> Affine:
    """Fit the normalisation on each trial's training part; once where all have the same."""
    if are_equal([dataset.train for dataset in datasets]):
        return build(configs[0]["normalize"]).fit(datasets[0].inputs, datasets[0].train)
    fits = [
        build(config["normalize"]).fit(dataset.inputs, dataset.train)
        for config, dataset in zip(configs, datasets, strict=True)
    ]
    return Affine.stack(fits)


def _fit_unit(datasets: list[Dataset]) -> TargetScale:
    if are_equal([dataset.train for dataset in datasets]):
        return TargetScale.fit(datasets[0].targets, datasets[0].train)
    return TargetScale.stack([TargetScale.fit(dataset.targets, dataset.train) for dataset in datasets])


def _rules(configs: list[Config], trainer: Trainer, loss: Any, steps_per_epoch: int, like: Tensor) -> Rules:
    kind = {"dtype": like.dtype, "device": like.device}

    def of_trainer(name: str) -> Tensor | None:
        values = [config["trainer"][name] for config in configs]
        return None if values[0] is None else torch.tensor([[value] for value in values], **kind)

    def nodes(name: str) -> list[dict[str, Any]]:
        return [config[name] for config in configs]

    steps = {"total_steps": steps_per_epoch * trainer.epochs, "steps_per_epoch": steps_per_epoch}
    return Rules(
        loss=loss,
        optimizer=build_per_trial(nodes("optimizer"), **kind),
        schedule=build_per_trial(nodes("schedule"), dtype=torch.float64, device="cpu", **steps),
        regularizer=build_per_trial(nodes("regularizer"), **kind),
        grad_clip=of_trainer("grad_clip"),
        ema=of_trainer("ema"),
        lr=_learning_rates(configs),
    )


def _learning_rates(configs: list[Config]) -> Tensor | None:
    """Return the rates as the user wrote them (T, 1) float64; None where an optimiser of the user's own has no `lr`."""
    rates = [config["optimizer"].get("lr") for config in configs]
    if not all(isinstance(rate, int | float) for rate in rates):
        return None
    return torch.tensor([[rate] for rate in rates], dtype=torch.float64)


def trial_seeds(config: Config) -> TrialSeeds:
    """Return the seed of each stream: its own, or the run's."""
    apart = {name: value for name, value in config["seeds"].items() if name != "_target_"}
    return TrialSeeds(**{name: config["seed"] if value is None else value for name, value in apart.items()})
