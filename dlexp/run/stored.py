"""The configuration of a run folder, checked as the command line's is: the folder may come from anywhere."""

import hashlib
from typing import Any

from dlexp.config import trust
from dlexp.config.check import check_stored
from dlexp.error import ConfigError, RunError
from dlexp.run.folder import CONFIG, RunFolder


def stored_config(folder: RunFolder) -> dict[str, Any]:
    """Return a run's configuration, fit to be built.

    Raises:
        RunError: It was edited, names what may not be built, or runs code that the user never named; see
            `dlexp.config.trust`.
    """
    require_unedited(folder)
    try:
        config = check_stored(folder.config)
    except ConfigError as error:
        raise RunError(f"{folder.path / CONFIG}: {error}") from error
    trust.require(config["trusted"], folder.run_id)
    trust.require_references(config, folder.run_id)
    return config


def require_unedited(folder: RunFolder) -> None:
    """Check that a run's configuration is what it was when the run began.

    Raises:
        RunError: It was edited, or is damaged.
    """
    path, is_empty = folder.path / CONFIG, not folder.config
    recorded = folder.manifest.get("config_sha256")  # absent from what versions before 0.2 wrote
    if is_empty or (recorded is not None and recorded != hashlib.sha256(path.read_bytes()).hexdigest()):
        raise RunError(
            f"{path}: was edited after the run began, so it is not what the weights were trained with; "
            "restore it, or begin a new run with other settings"
        )
