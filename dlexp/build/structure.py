"""Which trials can share a program: those whose configurations differ in values only."""

import copy
import hashlib
import json
from typing import Any

from dlexp.build.node import is_per_trial
from dlexp.config.signature import read
from dlexp.data.balance import num_drawn
from dlexp.data.dataset import Dataset
from dlexp.engine.task import num_steps
from dlexp.engine.trainer import Trainer

VALUES_ONLY = ("seed", "seeds", "init", "tracking", "runs_dir", "trusted", "cv", "fold")
ONCE_PER_TRIAL = ("augment",)  # each trial's own object transforms its own batch


def structure_key(config: dict[str, Any], dataset: Dataset) -> str:
    """Return a text that is equal for trials that one program can train.

    Left out are seeds, the initialisation (it gives values) and parameters annotated PerTrial; whether an optional
    per-trial parameter is set stays in, as do the length of a list and the number of updates of an epoch.

    Args:
        config: Checked.
        dataset: The trial's data with its split.
    """
    shared = {name: _structure(node) for name, node in config.items() if name not in VALUES_ONLY + ONCE_PER_TRIAL}
    trainer = Trainer(**{name: value for name, value in config["trainer"].items() if name != "_target_"})
    is_drawn = trainer.oversample and dataset.num_classes
    num_train = num_drawn(dataset.train, dataset.targets) if is_drawn else len(dataset.train)
    shared["steps"] = num_steps(num_train, trainer)
    shared["is_augmented"] = {name: config[name]["_target_"].endswith("NoAugment") for name in ONCE_PER_TRIAL}
    if dataset.encode is not None:
        # inputs that are settled on the training part are no other fold's
        shared["settled_on"] = hashlib.sha256(dataset.members(dataset.train).numpy().tobytes()).hexdigest()
    return json.dumps(shared, sort_keys=True)


def _structure(node: Any) -> Any:
    if not isinstance(node, dict) or "_target_" not in node:
        return node
    shape = copy.copy(node)
    for name, parameter in read(node["_target_"]).parameters.items():
        if name in shape and is_per_trial(parameter.annotation):
            shape[name] = len(shape[name]) if isinstance(shape[name], list) else shape[name] is not None
    return shape
