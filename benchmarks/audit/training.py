"""Whole trainings in float64 against the loop written from the papers: last weights and the figures of every epoch."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import torch

from benchmarks.audit.loop import follow, prepare, raw
from benchmarks.audit.row import ROUNDING, Row, apart
from dlexp.build.components import components_of
from dlexp.build.dataset import load_data
from dlexp.build.program import make_program
from dlexp.config.resolve import resolve
from dlexp.data.dataset import Dataset
from dlexp.engine.event import EpochEnd, TrialEnd
from dlexp.engine.snapshot import snapshot
from dlexp.engine.task import epoch_batches

SECTION = "training"
COMMON = (
    "tracking=none",
    "trainer.precision=fp64",
    "trainer.threads=1",
    "trainer.device=cpu",
    "trainer.batch_size=24",
    "trainer.epochs=3",
    "trainer.monitor=val/loss",
)
DIGITS = ("data=digits", "data.limit=150", "model=mlp", "model.widths=[12,9]", "norm=none", "optimizer.lr=0.05")
DIABETES = ("data=diabetes", "model=mlp", "model.widths=[12,9]", "norm=none", "optimizer.lr=0.05")
TWO = ("data=breast_cancer", "model=mlp", "model.widths=[12,9]", "norm=none", "optimizer.lr=0.05")
COSINE = ("schedule=cosine", "schedule.warmup=1")
ADAPTIVE = ("optimizer.lr=0.002", "optimizer.eps=1e-3")
# the first words name the setup; every option of a group, and every form of it, stands in a row
OPTIMIZERS: dict[str, tuple[str, ...]] = {
    "sgd": ("optimizer=sgd",),
    "sgd, weight decay, biases too": ("optimizer=sgd", "optimizer.weight_decay=0.1", "optimizer.biases=true"),
    "momentum": ("optimizer=momentum", "optimizer.weight_decay=0.01", *COSINE),
    "momentum, sutskever": ("optimizer=momentum", "optimizer.form=sutskever", *COSINE),
    "nesterov": ("optimizer=nesterov", *COSINE),
    "nesterov, sutskever": ("optimizer=nesterov", "optimizer.form=sutskever", *COSINE),
    **{
        f"{rule}, {form}": (f"optimizer={rule}", f"optimizer.form={form}", *ADAPTIVE)
        for rule in ("adagrad", "rmsprop", "adam")
        for form in ("outside", "inside", "rootless")
    },
    "adagrad, initial": ("optimizer=adagrad", "optimizer.initial=0.1", *ADAPTIVE),
    "adam, uncorrected": ("optimizer=adam", "optimizer.bias_correction=false", *ADAPTIVE),
    "adamw": ("optimizer=adamw", "optimizer.weight_decay=0.1", *ADAPTIVE, *COSINE),
}
SCHEDULES: dict[str, tuple[str, ...]] = {
    "constant, warm-up": ("schedule=constant", "schedule.warmup=1.5"),
    "cosine": ("schedule=cosine", "schedule.final=0.1"),
    "linear": ("schedule=linear", "schedule.final=0.2", "schedule.warmup=0.5"),
    "exponential": ("schedule=exponential", "schedule.gamma=0.7"),
    "step": ("schedule=step", "schedule.step_size=1", "schedule.gamma=0.5"),
    "step, milestones": ("schedule=step", "schedule.milestones=[0.5,2]", "schedule.gamma=0.3"),
    "one_cycle": ("schedule=one_cycle", "schedule.pct_start=0.4"),
    "plateau": (
        "schedule=plateau",
        "schedule.patience=0",
        "schedule.threshold=0.3",
        "schedule.gamma=0.5",
        "trainer.epochs=6",
    ),
}
LOSSES: dict[str, tuple[str, ...]] = {
    "cross_entropy, smoothed": ("loss=cross_entropy", "loss.label_smoothing=0.2"),
    "cross_entropy, weighted": ("loss=cross_entropy", "loss.class_weight=[1,2,3,4,5,6,7,8,9,1]"),
    "cross_entropy, balanced, smoothed": (
        "loss=cross_entropy",
        "loss.class_weight=balanced",
        "loss.label_smoothing=0.1",
    ),
    "cross_entropy, penalty on log-sum-exp": ("loss=cross_entropy", "loss.lse_penalty=0.05"),
    "bce, one against the rest": ("loss=bce", "loss.alpha=3", "loss.beta=0.5"),
    "hinge": ("loss=hinge", "loss.margin=0.7"),
    "hinge, crammer_singer": ("loss=hinge", "loss.form=crammer_singer"),
}
REGULARIZERS: dict[str, tuple[str, ...]] = {
    "l1": ("regularizer=l1", "regularizer.weight=0.01"),
    "l2": ("regularizer=l2", "regularizer.weight=0.01"),
    "elastic": ("regularizer=elastic", "regularizer.weight=0.01", "regularizer.beta=2"),
    "linf": ("regularizer=linf", "regularizer.weight=0.01"),
    "max_norm": ("regularizer=max_norm", "regularizer.max_norm=0.9"),
    "norm_ball": ("regularizer=norm_ball", "regularizer.eta=20"),
}
NORMS: dict[str, tuple[str, ...]] = {
    **{
        f"batch norm, {statistics}, {variance}": (
            "norm=batch",
            f"norm.statistics={statistics}",
            f"norm.variance={variance}",
        )
        for statistics in ("moving", "cumulative", "exact")
        for variance in ("unbiased", "biased")
    },
    "batch norm, exact, ema": ("norm=batch", "norm.statistics=exact", "trainer.ema=0.9"),
    "layer norm": ("norm=layer",),
    # groups of six: variances of two or three values near zero scale rounding up
    "group norm": ("norm=group", "norm.num_groups=2", "model.widths=[24,12]"),
}
OTHERS: dict[str, tuple[str, ...]] = {
    "ema": ("trainer.ema=0.9",),
    "gradient clipped": ("trainer.grad_clip=0.5",),
    "batches accumulated": ("trainer.accumulate=3",),
    "batches accumulated, weighted": (
        "trainer.accumulate=3",
        "loss=cross_entropy",
        "loss.class_weight=[1,2,3,4,5,6,7,8,9,1]",
    ),
    **{f"activation {name}": (f"activation={name}",) for name in ("identity", "leaky_relu", "elu", "sigmoid", "tanh")},
    "activation silu": ("activation=silu",),
    "activation gelu": ("activation=gelu",),
    "softmax regression": ("model=softmax",),
}
SETUPS = {
    **{name: (*DIGITS, *more) for name, more in {**OPTIMIZERS, **SCHEDULES, **LOSSES, **REGULARIZERS, **NORMS}.items()},
    **{name: (*DIGITS, *more) for name, more in OTHERS.items()},
    "bce, two classes": (*TWO, "loss=bce", "loss.alpha=2", "loss.beta=0.5"),
    "cross_entropy, two classes": (*TWO, "loss=cross_entropy"),
    **{loss: (*DIABETES, f"loss={loss}") for loss in ("mse", "mae")},
    "huber": (*DIABETES, "loss=huber", "loss.delta=0.4"),
}
QUICK = ("nesterov, sutskever", "adam, inside", "adamw", "one_cycle", "plateau", "linf", "huber")
QUICK += ("cross_entropy, balanced, smoothed", "batch norm, exact, ema")


@cache
def _load(overrides: tuple[str, ...]) -> Dataset:
    return load_data(resolve(list(overrides)).config)


def compared(overrides: tuple[str, ...]) -> tuple[float, float]:
    """Return how far apart the last weights, and the figures of all epochs, are."""
    overrides = _last_of_each_key((*COMMON, *overrides))
    config = resolve(list(overrides)).config
    dataset = _load(tuple(each for each in overrides if each.startswith("data")))
    run = make_program(components_of([config], [dataset]), "solo").run
    start = {name: value.clone() for name, value in snapshot(run)[0].items()}
    epochs = range(config["trainer"]["epochs"])
    orders = [[batch.x for (batch,) in epoch_batches(run.task, run.trainer, run.seeds, epoch)] for epoch in epochs]
    name = next(each.partition("=")[2] for each in overrides if each.startswith("data="))
    data = prepare(name, dataset.train)
    weights, told = follow(config, start, data, (dataset.train, dataset.val), orders)
    ours, figures = drilled(run)
    distance = max(apart(ours[key], value) for key, value in weights.items())
    pairs = [(epoch[key], each[key]) for epoch, each in zip(figures, told, strict=True) for key in each]
    return distance, max(apart(*pair) for pair in pairs)


def drilled(run: Any) -> tuple[dict[str, torch.Tensor], list[dict[str, float]]]:
    """Train, and return the last weights and the figures of all epochs."""
    weights, figures = {}, []
    for event in run.events():
        if isinstance(event, EpochEnd):
            figures.append({**event.metrics, "lr": event.lr})
        elif isinstance(event, TrialEnd):
            assert event.status == "finished", event
            weights = snapshot(run)[0]
    return weights, figures


def _last_of_each_key(overrides: tuple[str, ...]) -> tuple[str, ...]:
    is_linear = "model=softmax" in overrides
    chosen = {key: value for key, _, value in (each.partition("=") for each in overrides)}
    absent = ("model.", "norm") if is_linear else ()
    return tuple(f"{key}={value}" for key, value in chosen.items() if not (absent and key.startswith(absent)))


def rows(*, is_quick: bool) -> Iterator[Row]:
    """Yield two rows for each setup, and one for each set of data."""
    torch.set_num_threads(1)
    for name in ("digits", "breast_cancer", "diabetes"):
        data, (x_ND, y_N) = _load((f"data={name}",)), raw(name)
        ratio = x_ND.max() / data.inputs.max()  # pixels may be stored in units of their largest value
        difference = max(apart(data.inputs.flatten(1).double() * ratio, x_ND), apart(data.targets, y_N))
        yield Row(SECTION, name, "examples and targets as scikit-learn has them", difference, 1e-6)
    for name in QUICK if is_quick else SETUPS:
        weights, figures = compared(SETUPS[name])
        yield Row(SECTION, name, "weights after 3 epochs against a loop from the papers", weights, ROUNDING)
        yield Row(SECTION, name, "rate, losses and penalty of each epoch", figures, ROUNDING)
