"""Trials trained as one program against each of them alone: the largest differences, for every option.

Three tables: every architecture under every update rule; every option of the other groups; every value that may differ
between the trials of a program. In float64 ten updates and two evaluations must agree to 1e-9; in float32, where
training amplifies rounding, the validation metrics after ten updates. `python -m benchmarks.equality [--quick]`.
"""

import argparse
import copy
import math
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import torch
import yaml
from torch import Tensor

from benchmarks.measure import write
from dlexp.config.catalog import list_groups
from dlexp.data.dataset import Dataset
from dlexp.engine.event import EpochEnd, TrialEnd
from dlexp.engine.snapshot import snapshot
from dlexp.engine.stack.fold import stack_kinds
from dlexp.job.assemble import assemble_group
from dlexp.job.component import load_data
from dlexp.job.config import resolve
from dlexp.job.structure import structure_key

# 5 updates an epoch, the last of fewer examples; 2 epochs
COMMON = {
    "tracking": "none",
    "trainer.threads": "1",
    "trainer.device": "cpu",
    "trainer.epochs": "2",
    "trainer.batch_size": "8",
    "data.limit": "36",
}
RULES = ("sgd", "momentum", "nesterov", "adam", "adamw", "rmsprop", "adagrad")
# These divide by the size of the gradient, so that the rounding of a vanishing one becomes a step of lr: without eps
# they would compare noise.
ADAPTIVE = {
    rule: {"optimizer.lr": "0.001", "optimizer.eps": "1e-3"} for rule in ("adam", "adamw", "rmsprop", "adagrad")
}
MODELS: dict[str, dict[str, str]] = {
    "softmax": {},
    "mlp": {"model.widths": "[16,12]"},
    "cnn": {"model.channels": "[4,6]"},
    "vgg": {"model.depth": "11"},
    "nin": {},
    "inception": {},
    "resnet": {"model.depth": "8"},
    "resnext": {"model.depth": "50", "model.groups": "2", "model.width_per_group": "2"},
    "densenet": {"model.depth": "40", "model.growth_rate": "2"},
}
SMALL = ("softmax", "mlp", "cnn", "resnet")
BLOCKS = ("activation", "norm", "dropout", "regularizer", "augment", "loss", "schedule", "init", "normalize")
REGRESSION = ("mse", "mae", "huber")
TWO_STEPS = "[{_target_: dlexp.augment.noise.Noise, std: 0.1}, {_target_: dlexp.augment.cutout.Cutout, size: 3}]"
EXTRA: dict[tuple[str, str], dict[str, str]] = {
    # groups of two features have variances near zero, which scale rounding up
    ("norm", "group"): {"model.widths": "[16,16]", "norm.num_groups": "2"},
    ("norm", "instance"): {"model": "cnn", "model.channels": "[4,6]"},
    ("augment", "compose"): {"augment.steps": TWO_STEPS},
    ("augment", "cutout"): {"augment.size": "3"},
    ("augment", "flip_crop"): {"augment.padding": "1"},
    ("regularizer", "norm_ball"): {"regularizer.eta": "20"},
    ("regularizer", "max_norm"): {"regularizer.max_norm": "0.5"},
}
LIMIT = 1e-9
Trained = tuple[tuple[dict[str, Tensor], dict[str, Any]], list[dict[str, float]]]


@dataclass(frozen=True)
class Case:
    """Trials to be compared: what they have in common, and what each has of its own."""

    name: str
    overrides: dict[str, str]
    own: list[dict[str, str]] = field(
        default_factory=lambda: [{"optimizer.lr": "0.02", "seed": "0"}, {"optimizer.lr": "0.05", "seed": "1"}]
    )
    folds: bool = False


def models(names: Iterable[str] = MODELS, rules: Iterable[str] = RULES) -> Iterator[Case]:
    """Yield every architecture under every update rule."""
    for name in names:
        for rule in rules:
            overrides = {"model": name, "optimizer": rule, **MODELS[name]}
            rates = ("0.001", "0.0005") if rule in ADAPTIVE else ("0.02", "0.01")
            own = [{"optimizer.lr": rate, "seed": str(seed)} for seed, rate in enumerate(rates)]
            yield Case(f"{name} {rule}", {**overrides, **ADAPTIVE.get(rule, {})}, own)


def blocks() -> Iterator[Case]:
    """Yield every option of the groups around the model, on the smallest network that has a place for it."""
    for group in BLOCKS:
        for option in list_groups()[group]:
            overrides = {"model.widths": "[16,12]", group: option, **EXTRA.get((group, option), {})}
            if group == "loss" and option in REGRESSION:
                overrides["data"] = "diabetes"
            if overrides.get("model") == "cnn":
                del overrides["model.widths"]
            yield Case(f"{group}={option}", overrides)


# what every trial of the case has, the key, and two values of it
VALUES: list[tuple[dict[str, str], str, tuple[str, str]]] = [
    *[({}, "optimizer.lr", ("0.1", "0.02")), ({}, "optimizer.weight_decay", ("0", "0.1"))],
    *[({"optimizer": rule}, "optimizer.momentum", ("0.5", "0.9")) for rule in ("momentum", "nesterov")],
    *[({"optimizer": rule}, "optimizer.betas", ("[0.9,0.999]", "[0.5,0.8]")) for rule in ("adam", "adamw")],
    *[({"optimizer": rule}, "optimizer.eps", ("0.001", "0.01")) for rule in ("adam", "adamw", "rmsprop", "adagrad")],
    ({"optimizer": "adamw"}, "optimizer.weight_decay", ("0.1", "0.0")),
    ({"optimizer": "rmsprop"}, "optimizer.alpha", ("0.9", "0.5")),
    ({"optimizer": "adagrad"}, "optimizer.initial", ("0.1", "0.5")),
    *[({"regularizer": rule}, "regularizer.weight", ("0.01", "0.0")) for rule in ("l1", "l2", "elastic", "linf")],
    ({"regularizer": "elastic"}, "regularizer.beta", ("1.0", "3.0")),
    ({"regularizer": "max_norm"}, "regularizer.max_norm", ("0.5", "1.0")),
    ({"regularizer": "norm_ball"}, "regularizer.eta", ("10", "20")),
    *[({"dropout": kind}, "dropout.p", ("0.5", "0.0")) for kind in ("inverted", "classic")],
    ({"loss": "cross_entropy"}, "loss.label_smoothing", ("0.1", "0.0")),
    ({"loss": "cross_entropy"}, "loss.class_weight", ("[1,2,3,4,5,6,7,8,9,1]", "[1,1,1,1,1,0,0,1,1,1]")),
    ({"loss": "bce"}, "loss.alpha", ("1.0", "3.0")),
    ({"loss": "hinge"}, "loss.margin", ("1.0", "0.3")),
    ({"loss": "huber", "data": "diabetes"}, "loss.delta", ("1.0", "0.3")),
    ({"trainer.grad_clip": "1"}, "trainer.grad_clip", ("0.1", "100.0")),
    ({"trainer.ema": "0.5"}, "trainer.ema", ("0.5", "0.0")),
    *[({"schedule": name}, "schedule.final", ("0.0", "0.3")) for name in ("cosine", "linear")],
    *[({"schedule": name}, "schedule.gamma", ("0.9", "0.5")) for name in ("exponential", "step", "plateau")],
    ({"schedule": "step"}, "schedule.step_size", ("0.5", "1.0")),
    ({"schedule": "step"}, "schedule.milestones", ("[0.4,1.2]", "[1.0,1.4]")),
    ({"schedule": "one_cycle"}, "schedule.pct_start", ("0.3", "0.6")),
    ({"schedule": "one_cycle"}, "schedule.div_factor", ("25", "5")),
    ({"schedule": "one_cycle"}, "schedule.final_div_factor", ("100", "10")),
    ({"schedule": "plateau"}, "schedule.patience", ("0", "5")),
    ({"schedule": "cosine"}, "schedule.warmup", ("0", "1")),
    *[({}, "init", ("zeros", "orthogonal")), ({"init": "normal"}, "init.std", ("0.1", "0.5"))],
    *[({"init": "uniform"}, "init.bound", ("0.1", "0.5")), ({}, "seed", ("0", "1"))],
    *[({}, f"seeds.{stream}", ("3", "4")) for stream in ("init", "order")],
    ({"dropout": "inverted"}, "seeds.dropout", ("3", "4")),
    ({"augment": "noise"}, "seeds.augment", ("3", "4")),
    ({"augment": "noise"}, "augment.std", ("0.1", "0.5")),
    ({"augment": "affine"}, "augment.rotation", ("5", "40")),
    ({"augment": "photometric"}, "augment.brightness", ("0.1", "0.5")),
    ({"augment": "cutout"}, "augment.size", ("2", "4")),
    ({"augment": "flip_crop"}, "augment.padding", ("1", "2")),
    ({"augment": "mixup"}, "augment.alpha", ("1.0", "0.2")),
]


def values() -> Iterator[Case]:
    """Yield pairs of trials that differ in one value only, and folds that differ in their examples only."""
    for overrides, key, pair in VALUES:
        base = {"model.widths": "[16,12]", **ADAPTIVE.get(overrides.get("optimizer", ""), {}), **overrides}
        name = " ".join([*(f"{k}={v}" for k, v in overrides.items() if "." not in k), key])
        yield Case(name, base, [{key: value} for value in pair])
    balanced = {"loss": "cross_entropy", "loss.class_weight": "balanced", "model.widths": "[16,12]"}
    yield Case("fold", {"model.widths": "[16,12]"}, [{}, {}, {}], folds=True)
    yield Case("fold, classes balanced by each", balanced, [{}, {}, {}], folds=True)


@cache
def _resolved(overrides: tuple[str, ...]) -> dict[str, Any]:
    return resolve(list(overrides)).config


def configure(case: Case, precision: str) -> list[dict[str, Any]]:
    """Return the configuration of each trial."""
    made = []
    for own in case.own:
        chosen = {**COMMON, "trainer.precision": precision, **case.overrides}
        if chosen.get("data") == "diabetes":
            chosen["optimizer.lr"] = "0.01"
        chosen |= {key: value for key, value in own.items() if "." not in key and key != "seed"}
        config = copy.deepcopy(_resolved(tuple(f"{key}={value}" for key, value in chosen.items())))
        for key, value in own.items():
            block, _, name = key.rpartition(".")
            if block or key == "seed":
                (config[block] if block else config)[name] = yaml.safe_load(value)
        made.append(config)
    return made


@cache
def _data(overrides: tuple[str, ...]) -> Dataset:
    return load_data(_resolved(overrides))


def divide(case: Case, configs: list[dict[str, Any]]) -> list[Dataset]:
    """Return each trial's data: the same, or folds of 30, 29 and 31 examples."""
    data = _data(tuple(f"{key}={value}" for key, value in {**COMMON, **_only_data(case)}.items()))
    if not case.folds:
        return [data] * len(configs)
    whole = _data(tuple(f"{key}={value}" for key, value in {**COMMON, "data.limit": "null"}.items()))
    starts = range(0, 40 * len(configs), 40)
    rows = [whole.train[start : start + 31 - i % 3] for i, start in enumerate(starts)]
    return [
        whole.with_parts(own, whole.val[start : start + 40 - start // 20])
        for own, start in zip(rows, starts, strict=True)
    ]


def _only_data(case: Case) -> dict[str, str]:
    return {key: value for key, value in case.overrides.items() if key.partition(".")[0] == "data"}


def train(configs: list[dict[str, Any]], datasets: list[Dataset], engine: str) -> list[Trained]:
    """Return each trial's last snapshot and the metrics of its epochs."""
    keys = {structure_key(config, dataset) for config, dataset in zip(configs, datasets, strict=True)}
    assert len(keys) == 1, "the trials do not share a program"
    run = assemble_group(configs, datasets, engine).run
    ends, epochs = {}, {trial: [] for trial in run.trials}
    for event in run.events():
        if isinstance(event, EpochEnd):
            epochs[event.trial].append(event.metrics)
        elif isinstance(event, TrialEnd):
            ends[event.trial] = snapshot(run, run.trials.index(event.trial))
    return [(ends[trial], epochs[trial]) for trial in sorted(ends)]


def gap(a: Any, b: Any) -> float:
    """Return the largest |a - b| / (1 + |b|) of two structures of tensors and numbers; inf where they do not match."""
    if isinstance(a, Tensor):
        if a.shape != b.shape or not torch.equal(a.isnan(), b.isnan()):
            return math.inf
        apart = ((a.double() - b.double()).abs() / (1 + b.double().abs())).nan_to_num(0.0)
        return float(apart.max()) if apart.numel() else 0.0
    if isinstance(a, dict):
        return max((gap(a[key], b[key]) for key in a), default=0.0) if a.keys() == b.keys() else math.inf
    if isinstance(a, list):
        return max((gap(x, y) for x, y in zip(a, b, strict=True)), default=0.0) if len(a) == len(b) else math.inf
    return 0.0 if a == b or (a != a and b != b) else abs(a - b) / (1 + abs(b))


def compare(case: Case, engine: str, precision: str = "fp64") -> dict[str, Any]:
    """Return the largest differences between a program's trials and each of them alone.

    Alone is the plain module; `is_bitwise` says that nothing differs from it, `is_row_bitwise` that nothing differs
    from a program of one trial of the same engine.
    """
    found, in_stack = (apart(case, engine, precision, alone) for alone in ("solo", engine))
    about = {"case": case.name, "engine": engine, "precision": precision}
    same = {"is_bitwise": not any(found.values()), "is_row_bitwise": not any(in_stack.values())}
    return {**about, **found, **same}


def apart(case: Case, engine: str, precision: str, alone: str) -> dict[str, float]:
    """Return the largest differences between trials together and each alone, in weights, state and metrics.

    Args:
        case: The trials.
        engine: What trains them together.
        precision: fp64 or fp32.
        alone: What trains each of them alone: "solo" is the plain module.
    """
    configs = configure(case, precision)
    datasets = divide(case, configs)
    found = {"weights": 0.0, "state": 0.0, "metrics": 0.0}
    for row, config, dataset in zip(train(configs, datasets, engine), configs, datasets, strict=True):
        (one,) = train([config], [dataset], alone)
        found = {name: max(value, own) for (name, value), own in zip(found.items(), gaps(row, one), strict=True)}
    return found


def gaps(a: Trained, b: Trained) -> list[float]:
    """Return how far weights, optimiser state and metrics of two trainings are apart."""
    (weights_a, state_a), (weights_b, state_b) = a[0], b[0]
    return [gap(weights_a, weights_b), gap(state_a["step"], state_b["step"]), gap(a[1], b[1])]


def worst(row: dict[str, Any]) -> float:
    """Return the largest of a row's differences."""
    return max(row["weights"], row["state"], row["metrics"])


def engines(case: Case) -> list[str]:
    """Return the forms of stack that the case's model bears."""
    configs = configure(case, "fp64")[:1]
    built = assemble_group(configs, divide(case, configs))
    kinds, reasons = stack_kinds(built.model, built.dataset.in_shape)
    assert kinds, reasons
    return kinds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only small architectures, under two rules")
    quick = parser.parse_args().quick
    torch.set_num_threads(1)
    chosen = list(models(SMALL, ("nesterov", "adam")) if quick else models())
    rows, began = [], time.time()
    for case in [*chosen, *blocks(), *values()]:
        for engine in engines(case):
            for precision in ("fp64", "fp32"):
                rows.append(compare(case, engine, precision))
            told = [f"{row['engine']} {worst(row):.0e}" for row in rows[-2:]]
            print(f"{time.time() - began:6.0f} s  {case.name}: {', '.join(told)}", flush=True)
    failed = [row for row in rows if row["precision"] == "fp64" and not worst(row) < LIMIT]
    for row in failed:
        print("not equal:", row)
    if not quick:
        print(write("equality", rows, "largest |a - b| / (1 + |b|) after 10 updates: trials together and each alone"))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
