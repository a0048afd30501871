"""Where a run is computed: its device, the one that is asked for, or beside a card that workers are to have whole."""

from dataclasses import replace
from typing import Any, get_args, get_type_hints

import torch

from dlexp import device as devices
from dlexp.build.check import check_model
from dlexp.build.program import Program, assemble
from dlexp.data.dataset import Dataset
from dlexp.engine.trainer import Trainer
from dlexp.error import ConfigError

NAMES = get_args(get_type_hints(Trainer)["device"])


def choose_device(name: str) -> torch.device:
    """Return the device of a name that was given on the command line.

    Raises:
        ConfigError: There is no such name, or the machine has no such device.
    """
    if name not in NAMES:
        raise ConfigError(f"--device: got {name}; choose auto, cpu, mps, cuda or cuda:0 to cuda:7")
    return devices.choose(name)[0]


def on_device(config: dict[str, Any], name: str | None) -> dict[str, Any]:
    """Return a run's configuration for a device.

    Args:
        config: As the run was trained.
        name: The device; None takes the run's.

    Raises:
        ConfigError: The machine lacks the device.
    """
    trainer = config["trainer"]
    if name is not None:
        choose_device(name)
        return {**config, "trainer": {**trainer, "device": name}}
    try:
        devices.choose(trainer["device"])
    except ConfigError as error:
        raise ConfigError(f"{error}: the run was trained elsewhere, give --device cpu") from error
    return config


def check_first(config: dict[str, Any], dataset: Dataset) -> Program:
    """Build and check the first program of many, that of workers, off the card: this process keeps no memory there.

    Args:
        config: Checked.
        dataset: Its data.

    Raises:
        ConfigError: Options that do not fit each other, the data or many trials, or the machine lacks the device.
        DataError: Unusable data.
    """
    if config["trainer"]["profile"]:
        raise ConfigError("trainer.profile: got true; false for many trials: profile a setting with `dlexp train`")
    device, line = devices.choose(config["trainer"]["device"], is_elsewhere=True)
    built = assemble(on_device(config, "cpu") if device.type == "cuda" else config, dataset)
    check_model(built)
    return replace(built, device=device, device_line=line) if device.type == "cuda" else built
