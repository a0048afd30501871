"""What is trained on the pretended device: rows of options, and a training that is interrupted and gone on with."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor
from torch.utils._pytree import tree_map

from benchmarks.case import ADAPTIVE, EXTRA, MODELS, OF_PAIRS, PAIRS, Case
from benchmarks.equality import Trained, configure, divide
from dlexp.build.components import components_of
from dlexp.build.program import Program, make_program
from dlexp.config.catalog import list_groups
from dlexp.engine import checkpoint
from dlexp.engine.event import EpochEnd, TrialEnd
from dlexp.engine.snapshot import restore, snapshot
from tests.cover import cover, foremost

FORMS = ("solo", "graphed", "vmapped", "batched")
VALUES = ("mse", "mae", "huber")
LOSSES: dict[str, dict[str, str]] = {
    "cross_entropy": {"loss.label_smoothing": "0.1"},
    "weighted": {"loss": "cross_entropy", "loss.class_weight": "[1,2,3,4,5,6,7,8,9,1]"},
    "lse": {"loss": "cross_entropy", "loss.lse_penalty": "0.01"},
    "bce": {"loss.alpha": "2"},
    "hinge": {},
    **{name: {"data": "diabetes"} for name in VALUES},
    "reconstruction": {"loss": "mse", "task": "reconstruct"},
    **dict.fromkeys(OF_PAIRS, PAIRS),
}
HABITS: dict[str, dict[str, str]] = {
    "plain": {},
    "accumulate": {"trainer.accumulate": "2"},
    "ema": {"trainer.ema": "0.5"},
    "clip": {"trainer.grad_clip": "0.5"},
    "shrink": {"trainer.patience": "1", "trainer.epochs": "4"},
    "own order": {"seeds.order": "null"},
    "oversample": {"trainer.oversample": "true"},
}
FACTORS: dict[str, list[str]] = {
    "form": list(FORMS),
    "model": ["softmax", "mlp", "cnn", "resnet"],
    "optimizer": ["sgd", "momentum", "nesterov", "adam", "adamw", "rmsprop", "adagrad"],
    "regularizer": ["none", "l1", "l2", "elastic", "linf", "max_norm", "norm_ball"],
    "loss": list(LOSSES),
    "schedule": list_groups()["schedule"],
    "augment": ["none", "affine", "blur", "compose", "cutmix", "cutout", "flip_crop", "mixup", "noise", "photometric"],
    "norm": ["none", "batch", "layer", "instance", "group"],
    "dropout": ["none", "inverted", "classic"],
    "precision": ["fp32", "fp64", "bf16", "fp16"],
    "monitor": ["auto", "val/loss", "train/loss", "other"],
    "habit": list(HABITS),
}


def settle(row: dict[str, str]) -> dict[str, str]:
    """Return a row with what does not go together exchanged: values have no classes, vectors no pixels or space."""
    is_values = row["loss"] in VALUES
    changes: dict[str, str] = {}
    if is_values:
        changes |= {"augment": "none" if row["augment"] != "mixup" else "mixup"}
        changes |= {"model": "mlp"} if row["model"] in ("cnn", "resnet") else {}
        changes |= {"habit": "plain"} if row["habit"] == "oversample" else {}
    if row["loss"] == "reconstruction":
        changes |= {"augment": "none"} if row["augment"] in ("mixup", "cutmix") else {}
        changes |= {"model": {"softmax": "mlp", "resnet": "cnn"}.get(row["model"], row["model"])}
        changes |= {"habit": "plain"} if row["habit"] == "oversample" else {}
    if row["loss"] in OF_PAIRS:
        changes |= {"augment": "none"} if row["augment"] in ("mixup", "cutmix") else {}
    if row["model"] == "softmax" and (row["norm"], row["dropout"]) != ("none", "none"):
        changes |= {"model": "mlp"}
    if row["loss"] == "hinge" and row["augment"] in ("mixup", "cutmix"):
        changes |= {"loss": "bce"}
    if row["form"] == "vmapped" and row["precision"] in ("bf16", "fp16"):
        changes |= {"precision": "fp32"}  # the casts of `tests.pretended.autocast` come before the mapping
    model = changes.get("model", row["model"])
    if row["norm"] == "instance" and model not in ("cnn", "resnet"):
        changes |= {"norm": "layer"}
    return row | changes


def case_of(row: dict[str, str]) -> tuple[Case, str, str]:
    """Return the trials of a row, their form and precision."""
    chosen = {"model": row["model"], **MODELS[row["model"]], "loss": row["loss"], **LOSSES[row["loss"]]}
    for group in ("optimizer", "regularizer", "schedule", "augment", "norm", "dropout"):
        chosen |= {group: row[group], **EXTRA.get((group, row[group]), {})}
    if row["model"] != "mlp":
        chosen.pop("model.widths", None)
    if row["model"] != "cnn":
        chosen.pop("model.channels", None)
    if row["model"] == "softmax":
        del chosen["norm"], chosen["dropout"]  # refused, for want of a place
    chosen["model"] = row["model"]
    chosen |= {"norm.num_groups": "2"} if row["norm"] == "group" else {}
    chosen |= ADAPTIVE.get(row["optimizer"], {}) | HABITS[row["habit"]]
    is_values = row["loss"] in VALUES
    other = {"val/mae": is_values, "val/mse": row["loss"] == "reconstruction", "val/f1_macro": True}
    monitors = {"auto": "auto", "other": next(name for name, fits in other.items() if fits)}
    chosen["trainer.monitor"] = monitors.get(row["monitor"], row["monitor"])
    rates = ["0.02", "0.0000001", "0.05"] if row["habit"] == "shrink" else ["0.02", "0.05"]
    trials = [{"optimizer.lr": rate, "seed": str(seed)} for seed, rate in enumerate(rates)]
    return Case(" ".join(row.values()), chosen, trials), row["form"], row["precision"]


def pairwise() -> list[dict[str, str]]:
    """Return rows in which every pair of options of two factors occurs, but for what `settle` exchanges."""
    rows = [settle(dict(zip(FACTORS, row, strict=True))) for row in cover(list(FACTORS.values()))]
    return list({tuple(row.values()): row for row in rows}.values())


def marked(num: int, size: int) -> list[Any]:
    """Return the rows as parameters of a test, all but the foremost marked as slow.

    Args:
        num: Of rows that are not slow; in them every option must occur.
        size: Of what these are chosen to hold the most: 1 for options, 2 for pairs of them.
    """
    rows = pairwise()
    quick = foremost([tuple(row.values()) for row in rows], num, size)
    absent = {key: set(options) - {row[i] for row in quick} for i, (key, options) in enumerate(FACTORS.items())}
    assert not any(absent.values()), absent
    slow = [() if tuple(row.values()) in quick else pytest.mark.slow for row in rows]
    return [pytest.param(row, marks=mark, id=" ".join(row.values())) for row, mark in zip(rows, slow, strict=True)]


def configurations(case: Case, precision: str, device: str) -> list[dict[str, Any]]:
    """Return the configuration of each trial, on a device."""
    configs = configure(case, precision)
    for config in configs:
        config["trainer"]["device"] = device
    return configs


def train(case: Case, form: str, precision: str, device: str, scratch: Path | None = None) -> list[Trained]:
    """Train the trials of a case together, or alone where their form is solo; return what each ended with.

    Args:
        case: The trials.
        form: The engine.
        precision: Of the trainer.
        device: Of the trainer.
        scratch: Where checkpoints are written after the third update, from which a new program goes on; None for none.
    """
    configs = configurations(case, precision, device)
    datasets = divide(case, configs)
    groups = [[row] for row in range(len(configs))] if form == "solo" else [list(range(len(configs)))]
    ends: list[Trained] = []
    for group in groups:
        components = components_of([configs[row] for row in group], [datasets[row] for row in group])
        ends += _finish(make_program(components, form), scratch, lambda c=components: make_program(c, form))
    return ends


def _finish(program: Program, scratch: Path | None, again: Any) -> list[Trained]:
    ends, epochs = {}, {trial: [] for trial in program.run.trials}
    if scratch is not None:
        for event in _interrupted(program):
            _note(event, program, ends, epochs)
        program = _reloaded(program, scratch, again())
    for event in program.run.events():
        _note(event, program, ends, epochs)
    return [(ends[trial], epochs[trial]) for trial in sorted(ends)]


def _note(event: Any, program: Program, ends: dict[int, Any], epochs: dict[int, Any]) -> None:
    if isinstance(event, EpochEnd):
        epochs[event.trial].append(event.metrics)
    elif isinstance(event, TrialEnd) and event.status != "interrupted":
        weights, state = snapshot(program.run, program.run.trials.index(event.trial))
        ends[event.trial] = tree_map(lambda leaf: leaf.cpu() if isinstance(leaf, Tensor) else leaf, (weights, state))


def _interrupted(program: Program) -> Iterator[Any]:
    """Yield the events up to the third update, with every trial still there."""
    program.run.should_stop = lambda: program.run.number >= 3
    for event in program.run.events():
        if isinstance(event, TrialEnd):
            return
        yield event


def _reloaded(program: Program, scratch: Path, again: Program) -> Program:
    for row in range(len(program.run.trials)):
        checkpoint.save(scratch / str(row), *snapshot(program.run, row), is_synced=False)
    for row in range(len(program.run.trials)):
        restore(again.run, *checkpoint.load(scratch / str(row), again.device), row=row)
    return again
