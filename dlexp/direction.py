"""Which way a metric is better."""

_LOWER_IS_BETTER = {"loss", "mse", "rmse", "mae", "huber", "error", "seconds"}


def is_better_high(metric_name: str) -> bool:
    """Return whether a larger value is better: False for losses, errors and times, True for everything else.

    Args:
        metric_name: With or without split, for example "val/log_loss" or "f1_macro".
    """
    return metric_name.rsplit("/", 1)[-1].rsplit("_", 1)[-1] not in _LOWER_IS_BETTER
