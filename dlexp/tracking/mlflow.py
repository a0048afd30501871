"""Tracking as the training process sees it: settings, and a background process that does all the talking.

The process (`dlexp.tracking.outbox`) reads the run folder and nothing else, so that training neither imports mlflow
nor waits for it, and a server that is away costs one warning at the end.
"""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dlexp.config.source.environment import hide_passwords
from dlexp.disk.regular import open_in_place
from dlexp.run.folder import RunFolder
from dlexp.run.name import reference
from dlexp.tracking.sent import Sent
from dlexp.tracking.store import STORE
from dlexp.type import Name

NONE = "dlexp.tracking.mlflow.NoTracking"
_POLL = 0.05  # seconds between looks at the process


@dataclass(frozen=True)
class MLflow:
    """Fills MLflow from the run folder, in the background; `dlexp ui` shows it.

    Args:
        uri: Server or database; null takes MLFLOW_TRACKING_URI, else a sqlite database in runs_dir.
        experiment: Name of the MLflow experiment and of the folder in runs_dir; null takes the data's name.
        weights: Whether the best weights are sent as an artifact too.
        register: Registered model that the best weights of a run, or of a sweep's winner, become a version of; null
            registers none.
    """

    uri: str | None = None
    experiment: str | None = None
    weights: bool = False
    register: Name | None = None


@dataclass(frozen=True)
class NoTracking:
    """Keeps the run folder only; `dlexp sync RUN` sends it to MLflow later all the same.

    Args:
        experiment: Name of the folder in runs_dir; null takes the data's name.
    """

    experiment: str | None = None


class Outbox:
    """The background process that sends one run; made by `start`.

    Args:
        folder: The run's folder.
        process: The process; None when nothing is sent.
    """

    def __init__(self, folder: RunFolder, process: subprocess.Popen[bytes] | None) -> None:
        self.folder, self.process = folder, process

    def finish(self, timeout: float = 60.0, should_stop: Callable[[], bool] = lambda: False) -> str | None:
        """Wait until everything is sent; call it after the manifest has its final status.

        Args:
            timeout: Longest wait in seconds; the process goes on by itself after that.
            should_stop: Asked while waiting; True stops the wait, for a user who pressed Ctrl-C.

        Returns:
            One line for the user when something is left to send, else None.
        """
        if self.process is None:
            return None
        cure = f"the run folder has everything; send it with `dlexp sync {shlex.quote(reference(self.folder))}`"
        deadline = time.monotonic() + timeout
        while self.process.poll() is None:
            if should_stop() or time.monotonic() > deadline:
                return f"MLflow: still being filled in the background; {cure} should it not finish by itself"
            time.sleep(_POLL)
        problem = Sent.read(self.folder).problem
        if problem is None and self.process.returncode != 0:
            problem = f"sending failed, see {self.folder.path / 'outbox.log'}"
        return None if problem is None else f"MLflow: {problem}; {cure}"


def start(folder: RunFolder, tracking: dict[str, Any]) -> Outbox:
    """Start sending a run; call it when the folder is locked and its manifest says "running".

    Args:
        folder: The run's folder; its config.yaml holds the tracking settings that the process uses.
        tracking: The node `tracking` of the configuration.
    """
    if tracking["_target_"] == NONE:
        return Outbox(folder, None)
    if STORE not in folder.manifest:
        intended = tracking.get("uri") or os.environ.get("MLFLOW_TRACKING_URI") or None
        folder.update_manifest(**{STORE: None if intended is None else hide_passwords(intended)})
    command = [sys.executable, "-P", "-m", "dlexp.tracking.outbox", str(folder.path)]
    with open_in_place(folder.path / "outbox.log", "ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C in the terminal is for the training process
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
    return Outbox(folder, process)
