"""Refuses settings that are right by themselves and cannot be together."""

from typing import Any

from dlexp.config import secret, trust
from dlexp.error import ConfigError


def check_relations(config: dict[str, Any]) -> None:
    """Check settings against each other.

    Args:
        config: Checked value by value.

    Raises:
        ConfigError: A warm-up that is longer than the training: the full rate would never be reached; a password in
            the address of the tracking server, which would be written into the run's folder.
    """
    _check_uri(config.get("tracking", {}).get("uri"))
    warmup, epochs = config["schedule"].get("warmup"), config["trainer"].get("epochs")
    if isinstance(warmup, int | float) and isinstance(epochs, int) and warmup > epochs:
        cure = f"at most trainer.epochs={epochs} epochs, else the full rate is never reached"
        raise ConfigError(f"schedule.warmup: got {warmup:g}; {cure}")


def _check_uri(uri: str | None) -> None:
    if not isinstance(uri, str):
        return
    if secret.has_password(uri):
        typed = secret.redact(uri).replace(secret.HIDDEN, "${oc.env:NAME}")
        raise ConfigError(
            f"tracking.uri: got {secret.redact(uri)} with a password, which a run's folder would keep; name a variable "
            f"of the environment that holds it: 'tracking.uri=\"{typed}\"'"
        )
    trust.accept_uri(uri)
