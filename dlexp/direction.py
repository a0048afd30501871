"""Which way a metric is better: the only place that says so."""

from dlexp.error import ConfigError

LOWER_IS_BETTER = ("loss", "mse", "rmse", "mae", "huber", "error", "eer", "seconds")  # a name's last word
NO_DIRECTION = ("bias", "penalty", "se")  # neither high nor low is better


def has_direction(metric_name: str) -> bool:
    """Return whether one of two values of a metric can be called better.

    Args:
        metric_name: With or without split, for example "val/log_loss" or "f1_macro".
    """
    return _last_word(metric_name) not in NO_DIRECTION


def is_better_high(metric_name: str) -> bool:
    """Return whether a larger value is better: False for losses, errors and times, True for everything else.

    Args:
        metric_name: With or without split, for example "val/log_loss" or "f1_macro".

    Raises:
        ConfigError: Neither high nor low is better.
    """
    if not has_direction(metric_name):
        raise ConfigError(f"{metric_name}: has no better side, neither high nor low; choose another metric")
    return _last_word(metric_name) not in LOWER_IS_BETTER


def _last_word(metric_name: str) -> str:
    return metric_name.rsplit("/", 1)[-1].rsplit("_", 1)[-1]
