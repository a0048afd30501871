"""What cannot be divided over many devices, told before their processes start where that can be known by then."""

from dlexp.error import ConfigError


def require_divisible(batch_size: int, devices: int, least: int = 1, *, is_profiled: bool) -> None:
    """Refuse a training that many devices cannot divide.

    Args:
        batch_size: Examples of an update, ``trainer.batch_size``.
        devices: How many there are, 2 or more.
        least: Examples that each of them needs: 2 where batch norm takes the mean and the spread of its own.
        is_profiled: What ``trainer.profile`` is.

    Raises:
        ConfigError: A device would get fewer examples than it needs, or updates are to be profiled.
    """
    if is_profiled:
        raise ConfigError("trainer.profile: got true; updates over many devices are not profiled, train on one for it")
    fewest = devices * least
    if batch_size < fewest:
        why = "" if least == 1 else f", {least} each for batch norm, unless norm.sync=true"
        raise ConfigError(f"trainer.batch_size: got {batch_size}; {devices} devices need at least {fewest}{why}")
