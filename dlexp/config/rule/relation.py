"""Refuses settings that are right by themselves and cannot be together."""

from typing import Any

from dlexp.config.metric import METRICS
from dlexp.config.wording import show
from dlexp.direction import has_direction
from dlexp.error import ConfigError, did_you_mean
from dlexp.number import noun


def check_relations(config: dict[str, Any]) -> None:
    """Check settings against each other.

    Args:
        config: Checked value by value.

    Raises:
        ConfigError: No folder of runs, or a warm-up that is longer than the training: the full rate would never be
            reached.
    """
    if config.get("runs_dir") == "":
        raise ConfigError("runs_dir: got an empty text; a folder is needed, for example runs")
    warmup, epochs = config["schedule"].get("warmup"), config["trainer"].get("epochs")
    if isinstance(warmup, int | float) and isinstance(epochs, int) and warmup > epochs:
        cure = f"at most trainer.epochs={noun(epochs, 'epoch')}, else the full rate is never reached"
        raise ConfigError(f"schedule.warmup: got {warmup:g}; {cure}")


def check_monitor(config: dict[str, Any]) -> None:
    """Refuse a metric that no task has, where no data are read that would say which their task has.

    Raises:
        ConfigError: There is no such metric.
    """
    monitor = config["trainer"].get("monitor")
    names = [f"val/{row.name}" for row in METRICS if has_direction(row.name)]
    known = ["auto", "train/loss", "train/accuracy", "val/loss", *names]
    if isinstance(monitor, str) and monitor not in known and not config["metric"]["extra"]:
        cure = f"choose one of {', '.join(known)}{did_you_mean(monitor, known)}"
        raise ConfigError(f"trainer.monitor: got {show(monitor)}; {cure}")


def check_fractions(changed: set[str], data: dict[str, Any]) -> None:
    """Refuse shares of the data, both set by the user, that leave nothing for training."""
    if {"data.val_fraction", "data.test_fraction"} <= changed:
        val, test = data["val_fraction"], data["test_fraction"]
        if val + test >= 1:
            raise ConfigError(
                f"data.val_fraction: got {val:g} beside data.test_fraction={test:g}; together they leave nothing for "
                "training, so their sum has to be below 1"
            )
