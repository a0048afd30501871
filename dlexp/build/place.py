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

KEY, OPTION = "trainer.device", "--device"
NAMES = get_args(get_type_hints(Trainer)["device"])


def choose_device(name: str, given_by: str = OPTION) -> torch.device:
    """Return the device of a name that was given on the command line.

    Args:
        name: Of the device.
        given_by: What it was given by.

    Raises:
        ConfigError: There is no such name, or the machine has no such device.
    """
    if name not in NAMES:
        raise ConfigError(f"{given_by}: got {name}; choose auto, cpu, mps, cuda or cuda:0 to cuda:7")
    return devices.choose(name, key=given_by)[0]


def on_device(config: dict[str, Any], name: str | None, given_by: str = OPTION) -> dict[str, Any]:
    """Return a run's configuration for a device.

    Args:
        config: As the run was trained.
        name: The device; None takes the run's.
        given_by: What the command takes another device by.

    Raises:
        ConfigError: The machine lacks the device.
    """
    trainer = config["trainer"]
    if name is not None:
        choose_device(name, given_by)
        return {**config, "trainer": {**trainer, "device": name}}
    other = f"{given_by}=cpu" if given_by == KEY else f"{given_by} cpu"
    devices.choose(trainer["device"], cure=f"the run was trained elsewhere, give {other}")
    return config


def require_device(config: dict[str, Any]) -> None:
    """Refuse to go on with what was begun on a device that this machine lacks: it goes on as it is.

    Args:
        config: As it began.

    Raises:
        ConfigError: The machine lacks the device.
    """
    cure = "go on where there is such a device, or begin anew with trainer.device=cpu"
    devices.choose(config["trainer"]["device"], is_elsewhere=True, cure=cure)


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
