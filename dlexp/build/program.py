"""From checked configurations to a run that is ready to train: data, models, rules, device.

One configuration makes a solo run; several of equal structure make one program of many trials.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from dlexp import device as devices
from dlexp.build.components import Components
from dlexp.build.contract import make, make_per_trial
from dlexp.build.dataset import check_parts
from dlexp.build.feed import feed_of
from dlexp.build.model import outputs_of
from dlexp.build.objective import build_loss, choose_monitor
from dlexp.build.room import require_room
from dlexp.build.start.fit import Start
from dlexp.data.dataset import Dataset
from dlexp.data.joint.scale import JointScale
from dlexp.data.pair.share import share_pairs
from dlexp.data.target import SINGLE_TASKS
from dlexp.data.target_scale import TargetScale
from dlexp.direction import is_better_high
from dlexp.engine.exchange.exchange import ALONE, Exchange
from dlexp.engine.exchange.sharded import Sharded
from dlexp.engine.fitted.run import FittedRun
from dlexp.engine.forward import Forward
from dlexp.engine.freeze.mark import frozen_by
from dlexp.engine.freeze.thaw import Thaw
from dlexp.engine.memory import evaluation_batch
from dlexp.engine.rule.rules import Rules
from dlexp.engine.stack.kind import make_forward
from dlexp.engine.stack.rows import select_rows
from dlexp.engine.step import Step
from dlexp.engine.stopping import Stopping
from dlexp.engine.task import Task, are_equal, num_steps
from dlexp.engine.train import Run
from dlexp.engine.trainer import Trainer
from dlexp.error import ConfigError, DataError, first_ten
from dlexp.model.fitted.fitted import Fitted
from dlexp.normalize import Affine
from dlexp.number import noun
from dlexp.type import Config

_FITTING: set[tuple[str, int, str]] = set()  # structures, numbers of trials and devices that have room
_EVALUATED: dict[str, int] = {}  # examples evaluated at once, by structure


@dataclass(frozen=True)
class Program:
    """What trains T trials: a run, ready to go, with what was built around it.

    Attributes:
        run: Ready to train.
        components: Of each trial; folds differ in their parts only.
        models: Each trial's initialised module; a solo run trains its own in place, a stack copies their values.
        affine: The normalisation of all trials, or of each; see `dlexp.engine.task.Task`.
        device: Where.
        device_line: For the user: which device and why.
        warnings: For the user, one line each.
        start: What the first model took of another run's weights.
    """

    run: Run
    components: list[Components]
    models: list[nn.Module]
    affine: Affine
    device: torch.device
    device_line: str
    warnings: list[str]
    start: Start

    @property
    def dataset(self) -> Dataset:
        """The data of the only trial, or of the first."""
        return self.components[0].data

    @property
    def model(self) -> nn.Module:
        """The module of the only trial, or of the first."""
        return self.models[0]


def assemble(config: Config, dataset: Dataset | None = None, exchange: Exchange = ALONE) -> Program:
    """Build the program of one configuration.

    Args:
        config: Checked.
        dataset: Loaded already, or a fold; None loads what the configuration says.
        exchange: Between the devices that train it together.

    Raises:
        ConfigError: Options that do not fit each other or the data.
        DataError: Absent or unusable data.
    """
    return make_program([Components.of(config, dataset)], exchange=exchange)


def make_program(components: list[Components], engine: str = "solo", exchange: Exchange = ALONE) -> Program:
    """Build one program of T trials.

    Args:
        components: Of each trial, of equal structure; all share their examples.
        engine: "solo" (one trial), "batched", "vmapped" or "graphed".
        exchange: Between the devices that train a trial together.

    Raises:
        ConfigError: Options that do not fit each other or the data.
    """
    first = components[0]
    trainer, (device, device_line) = first.trainer, first.place
    configs, datasets = [each.config for each in components], [each.data for each in components]
    loss = build_loss(configs, datasets, device, first.dtype)
    _require_room(first, loss.num_outputs, len(components))
    made = [each.make_model(outputs_of(loss)) for each in components]
    models = [model for model, _, _ in made]
    eval_batch_size = _eval_batch_size(first, models[0])
    threads = devices.given_threads(trainer.threads) or devices.suggest_threads(models[0], trainer.batch_size)
    devices.configure(device, threads=threads, tf32=trainer.tf32, deterministic=trainer.deterministic)
    exchange.connect(models[0], first.data.inputs_each)
    channels_last = trainer.channels_last and first.data.is_image
    make_anew = partial(
        make_forward,
        engine,
        device=device,
        channels_last=channels_last,
        compile=trainer.compile,
        is_graph=trainer.cuda_graph,
    )
    forward = make_anew(models)
    shared, rows = share_pairs(datasets)
    has_one_part = are_equal([train for train, _ in rows])
    affine = first.affine if has_one_part else Affine.stack([each.affine for each in components])
    _require_range(first.data, affine, first.dtype)
    warnings = made[0][1] + check_parts(datasets, trainer, configs[0].get("train_on", "train"))
    task = replace(_task(components, shared, rows, device, affine, has_one_part), exchange=exchange)
    task = replace(task, similarity=getattr(loss, "similarity", None) if first.data.pairs is not None else None)
    make_step = Sharded if trainer.shard and exchange.size > 1 else Step
    rules = _rules(configs, trainer, loss, num_steps(task.num_drawn, trainer), forward.flat.tensor)
    alone = select_rows(loss, [0], len(components))
    monitor = choose_monitor(trainer.monitor, alone, first.data, task.metrics, device)
    run = _kind_of_run(first, models[0], exchange)(
        task=task,
        step=make_step(forward, rules, models[0], trainer.precision, exchange),
        trainer=trainer,
        seeds=[each.seeds for each in components],
        monitor=monitor,
        stopping=[Stopping(is_better_high(monitor), trainer.patience, trainer.min_delta) for _ in configs],
        eval_batch_size=eval_batch_size,
        schedule_state=rules.schedule.start(len(configs), "cpu") if hasattr(rules.schedule, "start") else {},
        trials=list(range(len(configs))),
        thaw=_thaw(configs[0], models, make_anew, trainer.precision),
    )
    if device.type == "cpu":
        device_line += f", {noun(torch.get_num_threads(), 'thread')}"
    device_line += devices.say_rounding(device, trainer.precision, tf32=trainer.tf32)
    return Program(run, components, models, affine, device, device_line, warnings, made[0][2])


def _thaw(
    config: Config, models: list[nn.Module], make: Callable[[list[nn.Module]], Forward], precision: str
) -> Thaw | None:
    """Return how frozen layers come to be trained; None where they never are."""
    until = config["freeze"]["until"]
    if until is not None and config["trainer"]["shard"]:
        raise ConfigError(f"freeze.until: got {until} with trainer.shard=true; choose one of them")
    return None if until is None else Thaw(until, frozen_by(models[0]), models, make, precision)


def _kind_of_run(first: Components, model: nn.Module, exchange: Exchange) -> type[Run]:
    """Return what trains a model: the loop of updates, or the one step of a model that has no gradient."""
    if not isinstance(model, Fitted):
        return Run
    if first.data.task not in SINGLE_TASKS:
        what = f"{type(model).__name__} calls classes or gives a value"
        raise ConfigError(f"task: got {first.data.task}; {what}, choose {', '.join(SINGLE_TASKS)}")
    if exchange.size > 1:
        raise ConfigError(f"launcher.devices: got {exchange.size}; {type(model).__name__} is fitted by one process")
    model.require(len(first.data.train))
    return FittedRun


def _require_room(first: Components, num_outputs: int, num_trials: int) -> None:
    """Refuse a program that cannot fit its device, once for each structure and number of trials."""
    device, trainer = first.place[0], first.trainer
    key = (first.structure, num_trials, str(device))
    if key not in _FITTING:
        rule = make(first.config, "optimizer")
        in_shape, batch_size = first.data.in_shape, first.data.inputs_each * trainer.batch_size
        require_room(first.config, in_shape, num_outputs, rule, num_trials, batch_size, first.dtype, device)
        _FITTING.add(key)


def _eval_batch_size(first: Components, model: nn.Module) -> int:
    """Return how many examples are evaluated at once, found once for each structure where it is not set.

    Of pairs half as many as of inputs.
    """
    trainer = first.trainer
    if trainer.eval_batch_size != "auto":
        return trainer.eval_batch_size
    if first.structure not in _EVALUATED:
        each = first.data.inputs_each
        num_inputs = evaluation_batch(model, first.data.in_shape, each * trainer.batch_size)
        _EVALUATED[first.structure] = max(1, num_inputs // each)
    return _EVALUATED[first.structure]


def _task(
    components: list[Components],
    data: Dataset,
    rows: list[tuple[Tensor, Tensor]],
    device: torch.device,
    affine: Affine,
    has_one_part: bool,
) -> Task:
    first, augments = components[0], [each.augment for each in components]
    is_augmented = not all(augment is None for augment in augments)
    # Floats that nothing changes afterwards are normalised once instead of in every batch.
    is_ready = data.inputs.is_floating_point() and not is_augmented and affine.scale.dim() == 1
    return Task(
        feed=feed_of(data, affine if is_ready else None, first.dtype, device),
        affine=None if is_ready else affine.to(device),
        augments=augments,
        train=[train for train, _ in rows],
        val=[val for _, val in rows],
        targets=devices.send(data.targets, device),
        answer=first.answer,
        is_image=data.is_image,
        dtype=first.dtype,
        unit=_unit(components, device, has_one_part),
        metrics=first.metrics,
        centre=_centre(components, device, has_one_part),
        oversampled=data.targets.cpu() if first.trainer.oversample else None,
    )


def _centre(components: list[Components], device: torch.device, has_one_part: bool) -> Tensor | None:
    centres = [each.centre for each in components[: 1 if has_one_part else None]]
    known = [centre for centre in centres if centre is not None]
    return devices.send(torch.cat(known).to(components[0].dtype), device) if known else None


def _unit(components: list[Components], device: torch.device, has_one_part: bool) -> TargetScale | JointScale | None:
    if components[0].unit is None:
        return None
    units = [each.unit for each in components[: 1 if has_one_part else None]]
    scales: list[Any] = [unit for unit in units if unit is not None]
    return (scales[0] if has_one_part else scales[0].stack(scales)).to(device)


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
        optimizer=make_per_trial(nodes("optimizer"), "optimizer", **kind),
        schedule=make_per_trial(nodes("schedule"), "schedule", dtype=torch.float64, device="cpu", **steps),
        regularizer=make_per_trial(nodes("regularizer"), "regularizer", **kind),
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
