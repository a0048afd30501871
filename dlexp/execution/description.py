"""What a run's manifest says of its data, model, device and seed."""

from typing import Any

import torch
from torch import Tensor

from dlexp import device as devices
from dlexp.build.program import Program
from dlexp.build.start.name import owners
from dlexp.data.dataset import Dataset
from dlexp.data.quality import examine
from dlexp.direction import is_better_high
from dlexp.execution.origin.ancestry import describe_start
from dlexp.run.division import PARTS, read_division
from dlexp.run.document import DataIdentity, Parts
from dlexp.run.folder import RunFolder


def describe_run(built: Program, config: dict[str, Any]) -> dict[str, Any]:
    """Return what a run's manifest says of data, model, device and seed."""
    gpu = devices.describe(built.device)
    return {
        **({} if gpu is None else {"gpu": gpu}),
        **_start(built),
        "task": built.dataset.task,
        "seed": config["seed"],
        "device": str(built.device),
        "threads": torch.get_num_threads() if built.device.type == "cpu" else None,
        "data": {**identify(built.dataset), **examine(built.dataset)},
        "validated_on": built.dataset.validated_on,
        "test_openings": 0,
        "model": type(built.model).__name__,
        "num_params": sum(p.numel() for p in built.model.parameters()),
        "num_trainable": sum(p.numel() for p in built.model.parameters() if p.requires_grad),
        "in_shape": list(built.dataset.in_shape),
        "num_outputs": built.run.step.rules.loss.num_outputs,
        "monitor": {
            "metric": built.run.monitor,
            "mode": "max" if is_better_high(built.run.monitor) else "min",
            "min_delta": built.run.trainer.min_delta,
        },
    }


def warn_of_device(began: str, device: torch.device) -> list[str]:
    """Return a warning for what goes on on another kind of device than it began on; nothing for any other.

    Args:
        began: The device in its manifest.
        device: Where it goes on.
    """
    if began.partition(":")[0] == device.type:
        return []
    return [f"begun on {began}, it goes on on {device.type}: its numbers are neither's; trainer.device names where"]


def _start(built: Program) -> dict[str, Any]:
    """Return what weights a run begins with; nothing where they are random."""
    config, start = built.components[0].config, built.start
    path = config["init_from"]["run"]
    if path is None:
        return {}
    taken = {"file": path, "taken": len(start.taken), "anew": owners(start.left)}
    return {"init_from": {**describe_start(config), **taken}}


def identify(data: Dataset) -> DataIdentity:
    """Return what says which data it is."""
    return {"name": data.name, "fingerprint": data.fingerprint}


def describe_parts(data: Dataset, train: Tensor, val: Tensor) -> Parts:
    """Return which data it is and how many examples each part has."""
    return {**identify(data), "num_train": len(train), "num_val": len(val), "num_test": len(data.test)}


def write_parts(folder: RunFolder, data: Dataset) -> None:
    """Write which rows of the data each part has, of drawn pairs those of the examples."""
    folder.write_split({part: getattr(data.dealt, part).numpy() for part in PARTS})


def as_divided(folder: RunFolder, data: Dataset) -> Dataset:
    """Return data with the parts that a run was trained with, which an earlier version may have drawn otherwise."""
    rows = read_division(folder)
    if rows is None or folder.manifest["data"]["fingerprint"] != data.fingerprint:
        return data  # other data are for `require_same_data` to refuse
    train, val = torch.from_numpy(rows["train"]), torch.from_numpy(rows["val"])
    is_equal = torch.equal(train, data.dealt.train) and torch.equal(val, data.dealt.val)
    return data if is_equal else data.with_parts(train, val)
