"""`launcher.devices=N` of `dlexp train`: one training over many devices, each with a process of its own."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from dlexp.config.compose import Composed

T = TypeVar("T")
KEY = "launcher.devices="


def take_devices(overrides: list[str] | None) -> tuple[int, list[str]]:
    """Return how many devices overrides ask for, and the others: a run does not depend on where it is computed.

    Raises:
        ConfigError: They ask for no number of devices.
    """
    from dlexp.error import ConfigError
    from dlexp.launcher.devices.launched import is_launched

    written = [text.removeprefix(KEY) for text in overrides or [] if text.startswith(KEY)]
    others = [text for text in overrides or [] if not text.startswith(KEY)]
    if not written:
        return 1, others
    text = written[-1]
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise ConfigError(f"launcher.devices: got {text}; an integer >= 1 is needed")
    if is_launched():
        raise ConfigError(f"launcher.devices: got {text} under torchrun, which says how many there are; leave it out")
    return int(text), others


def start(devices: int, composed: "Composed | None") -> int:
    """Run this command over devices of this machine; return its exit code.

    Args:
        devices: How many, 2 or more.
        composed: Checked; None where a run is gone on with, or a winner is trained.
    """
    from dlexp.config.rule.fitted import is_fitted
    from dlexp.error import ConfigError
    from dlexp.launcher.devices import torchrun
    from dlexp.launcher.devices.division import require_divisible

    arguments = [argument for argument in sys.argv[1:] if not argument.startswith(KEY)]
    if composed is None:
        return torchrun.start(devices, arguments, "auto")
    if is_fitted(composed.config["model"]["_target_"]):
        model = composed.choices["model"]
        raise ConfigError(f"launcher.devices: got {devices}; model={model} is fitted by one process")
    trainer = composed.config["trainer"]
    require_divisible(trainer["batch_size"], devices, is_profiled=trainer["profile"])
    return torchrun.start(devices, arguments, trainer["device"])


def agreed(act: Callable[[], T]) -> T:
    """Return what `act` returns; of many processes, once all have done it: where one fails, the first one says it."""
    from dlexp.launcher.devices.launched import is_launched

    if not is_launched():
        return act()
    from dlexp.launcher.devices.world import join

    return join().together(act)


def require_plain(devices: int, **others: object) -> None:
    """Refuse what is not done over many devices.

    Args:
        devices: How many.
        others: Options by their names, as they were given.

    Raises:
        ConfigError: One was given.
    """
    from dlexp.error import ConfigError
    from dlexp.launcher.devices.launched import is_launched

    given = [name.replace("_", "-") for name, value in others.items() if value]
    if given and (devices > 1 or is_launched()):
        raise ConfigError(f"--{given[0]}: got many devices too; that is done on one, so leave launcher.devices out")
