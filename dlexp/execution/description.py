"""What a run's manifest says of its data, model, device and seed."""

from typing import Any

import torch

from dlexp.build.program import Program
from dlexp.data.dataset import Dataset
from dlexp.data.quality import examine
from dlexp.direction import is_better_high
from dlexp.run.folder import RunFolder


def describe_run(built: Program, config: dict[str, Any]) -> dict[str, Any]:
    """Return what a run's manifest says of data, model, device and seed."""
    return {
        "task": built.dataset.task,
        "seed": config["seed"],
        "device": str(built.device),
        "threads": torch.get_num_threads() if built.device.type == "cpu" else None,
        "data": {"name": built.dataset.name, "fingerprint": built.dataset.fingerprint, **examine(built.dataset)},
        "test_openings": 0,
        "model": type(built.model).__name__,
        "num_params": sum(p.numel() for p in built.model.parameters()),
        "in_shape": list(built.dataset.in_shape),
        "num_outputs": built.run.step.rules.loss.num_outputs,
        "monitor": {
            "metric": built.run.monitor,
            "mode": "max" if is_better_high(built.run.monitor) else "min",
            "min_delta": built.run.trainer.min_delta,
        },
    }


def write_parts(folder: RunFolder, data: Dataset) -> None:
    """Write which rows of the data each part has."""
    parts = {"train": data.train, "val": data.val, "test": data.test}
    folder.write_split({part: rows.numpy() for part, rows in parts.items()})
