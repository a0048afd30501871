"""Tracking as the training process sees it: settings, and a background process that does all the talking.

The process reads run folders and nothing else, so that training neither imports mlflow nor waits for it, and a server
that is away costs one warning at the end. One process (`dlexp.tracking.courier`) sends all runs whose store is a
database; a server, which may need what only a command's environment has, gets one for each run
(`dlexp.tracking.outbox`).
"""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlexp.config.source.environment import hide_passwords
from dlexp.disk.regular import open_in_place
from dlexp.run.folder import RunFolder
from dlexp.run.name import reference
from dlexp.tracking.database import is_locked
from dlexp.tracking.queue import Queue
from dlexp.tracking.sent import Sent
from dlexp.tracking.store import STORE, choose
from dlexp.type import Name, NonNegative, Timeout

NONE = "dlexp.tracking.mlflow.NoTracking"
_POLL = 0.05  # seconds between looks at the process
_started: "list[subprocess.Popen[bytes]]" = []  # they may outlive what started them; Popen warns when one is forgotten


@dataclass(frozen=True)
class MLflow:
    """Fills MLflow from the run folder, in the background; `dlexp ui` shows it.

    Args:
        uri: Server or database; null takes MLFLOW_TRACKING_URI, else a sqlite database in runs_dir.
        experiment: Name of the MLflow experiment and of the folder in runs_dir; null takes the data's name.
        weights: Whether the best weights are sent as an artifact too.
        register: Registered model that the best weights of a run, or of a sweep's winner, become a version of; null
            registers none.
        wait: Longest time in seconds that a command waits for MLflow after its result; the process goes on by itself.
        timeout: Longest time in seconds that a server may take to answer, or a database to be unlocked, before what is
            to be sent is left for later.
    """

    uri: str | None = None
    experiment: str | None = None
    weights: bool = False
    register: Name | None = None
    wait: NonNegative = 2.0
    timeout: Timeout = 5.0


@dataclass(frozen=True)
class NoTracking:
    """Keeps the run folder only; `dlexp sync RUN` sends it to MLflow later all the same.

    Args:
        experiment: Name of the folder in runs_dir; null takes the data's name.
    """

    experiment: str | None = None


class Outbox:
    """The sending of one run in the background; made by `start`.

    Args:
        folder: The run's folder.
        process: The process that was started for it; None where nothing is sent, or another process does.
        queue: The list that the run is in; None for a process of its own.
        wait: Seconds that `finish` waits.
        database: Where the runs of a list go.
    """

    def __init__(
        self,
        folder: RunFolder,
        process: "subprocess.Popen[bytes] | None",
        queue: Queue | None = None,
        wait: float = MLflow.wait,
        database: Path | None = None,
    ) -> None:
        self.folder, self.process, self.queue, self.wait, self.database = folder, process, queue, wait, database

    def finish(self, timeout: float | None = None, should_stop: Callable[[], bool] = lambda: False) -> str | None:
        """Wait until everything is sent; call it after the manifest has its final status.

        Args:
            timeout: Longest wait in seconds, None for `wait`; the process goes on by itself after that.
            should_stop: Asked while waiting; True stops the wait, for a user who pressed Ctrl-C.

        Returns:
            One line for the user when something went wrong, or may: a server that has not answered yet, a wait that
            was stopped. Else None.
        """
        if self.process is None and self.queue is None:
            return None
        deadline = time.monotonic() + (self.wait if timeout is None else timeout)
        while (is_going_on := self._is_going_on()) and time.monotonic() < deadline:
            if is_left := should_stop():
                break
            time.sleep(_POLL)
        else:
            is_left = self.queue is None  # a server may be away; a database is there
        problem = Sent.read(self.folder).problem
        cure = f"the run folder has everything; send it with `dlexp sync {shlex.quote(reference(self.folder))}`"
        if problem is None and is_going_on:
            line = f"MLflow: still being filled in the background; {cure} should it not finish by itself"
            return line if is_left or self._is_blocked() else None
        if problem is None and not self._is_sent():
            log = self.folder.path / "outbox.log" if self.queue is None else self.queue.log
            problem = f"sending failed, see {log}"
        return None if problem is None else f"MLflow: {problem}; {cure}"

    def _is_going_on(self) -> bool:
        is_alive = self.process is not None and self.process.poll() is None
        if self.queue is None:
            return is_alive
        return self.queue.holds(self.folder) and (is_alive or self.queue.lock.is_held())

    def _is_blocked(self) -> bool:
        return self.database is not None and is_locked(self.database)

    def _is_sent(self) -> bool:
        if self.queue is None:
            return self.process is not None and self.process.returncode == 0
        return not self.queue.holds(self.folder)


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
    wait = float(tracking.get("wait", MLflow.wait))
    if not _is_database(tracking.get("uri") or folder.manifest[STORE]):
        return Outbox(folder, _process("outbox", folder.path, folder.path / "outbox.log"), None, wait)
    queue = Queue(folder.runs_dir)
    queue.add(folder)
    # asked after the run is in the list: a process that ends looks once more after it let the lock go
    process = None if queue.lock.is_held() else _process("courier", folder.runs_dir, queue.log)
    database = choose(folder.runs_dir, tracking.get("uri") or folder.manifest[STORE], asks_environment=False).database
    return Outbox(folder, process, queue, wait, database)


def _is_database(uri: str | None) -> bool:
    """Say whether a store needs nothing but its address; one that refers to the environment may need this command's."""
    return uri is None or (uri.startswith("sqlite:///") and "${" not in uri)


def _process(module: str, argument: Path, log: Path) -> "subprocess.Popen[bytes]":
    with open_in_place(log, "ab") as file:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", f"dlexp.tracking.{module}", str(argument)],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,  # Ctrl-C in the terminal is for the training process
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
    _started.append(process)
    return process
