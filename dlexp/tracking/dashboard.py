"""The MLflow dashboard on this project's store: one local server, stopped with the command that started it."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NotRequired
from urllib.parse import quote

from typing_extensions import TypedDict

from dlexp.disk.regular import open_in_place
from dlexp.error import ConfigError, EnvironmentFault
from dlexp.run.folder import RunFolder
from dlexp.run.scan import close_dead, run_paths
from dlexp.tracking import outbox, server, store, view
from dlexp.tracking.reach import require_answer
from dlexp.tracking.sent import Sent
from dlexp.tracking.web.pages import PREFIX

_READY_SECONDS = 180.0
_STOP_SECONDS = 10.0
_ANYWHERE = ("0.0.0.0", "::")


class Address(TypedDict):
    """Where a dashboard answers.

    Attributes:
        url: Of its first page.
        report: Of the project's page; absent unless it is served.
    """

    url: str
    report: NotRequired[str]


@dataclass(frozen=True)
class Dashboard:
    """A dashboard that answers.

    Attributes:
        url: The sorted table of the newest run's experiment.
        process: The server; None when it is one that somebody else runs.
        report: Where the pages of `dlexp report` are; "" where they are not served.
    """

    url: str
    process: subprocess.Popen[bytes] | None
    report: str = ""

    @property
    def document(self) -> Address:
        """What `--json` prints."""
        return {"url": self.url, "report": self.report} if self.report else {"url": self.url}

    def wait(self) -> int:
        """Return the server's exit status when it ends."""
        return 0 if self.process is None else self.process.wait()


@contextmanager
def serve(
    runs_dir: Path,
    *,
    uri: str | None = None,
    host: str = "127.0.0.1",
    port: int = 5000,
    progress: Callable[[float], None] = lambda seconds: None,
    has_pages: bool = False,
) -> Iterator[Dashboard]:
    """Start the server, wait until it answers, and stop it at the end of the context.

    Runs whose processes were killed are ended in MLflow first.

    Args:
        runs_dir: Folder of all runs.
        uri: The store; None takes MLFLOW_TRACKING_URI, else the database in runs_dir.
        host: Address to listen on; only this machine can reach 127.0.0.1.
        port: Port to listen on.
        progress: Called every half second with the seconds waited.
        has_pages: Serve the pages of `dlexp report` too.

    Raises:
        ConfigError: There is no host, or pages are asked of somebody else's server.
        EnvironmentFault: The port is in use, or the server ended or did not answer in time.
    """
    chosen = store.choose(runs_dir, uri)
    if chosen.uri.startswith("http"):
        if has_pages:
            raise ConfigError(f"--report: got {chosen.name}, another server; open the pages that `dlexp report` writes")
        require_answer(chosen.uri, chosen.name, chosen.timeout)
        yield Dashboard(chosen.uri.rstrip("/") + deep_link(runs_dir), None)
        return
    check_port(host, port)
    close_dead(runs_dir)
    clients = {}
    outbox.end_leftovers(runs_dir, clients)
    if chosen.database is not None and not chosen.database.exists():
        store.connect(chosen)
    log = _log_place(runs_dir) / "ui.log"
    process = _start(chosen, host, port, log, [str(runs_dir.resolve())] if has_pages else [])
    try:
        address = f"http://{'127.0.0.1' if host in _ANYWHERE else host}:{port}"
        _wait_until_ready(process, address, log, progress)
        yield Dashboard(address + deep_link(runs_dir), process, address + PREFIX if has_pages else "")
    finally:
        _stop(process)


def _log_place(runs_dir: Path) -> Path:
    """Return the folder for the server's log: that of the runs, or one of its own where that may only be read."""
    return runs_dir.resolve() if os.access(runs_dir, os.W_OK) else Path(tempfile.mkdtemp(prefix="dlexp-ui-"))


def check_port(host: str, port: int) -> None:
    """Bind the port and let it go: on a used one MLflow waits 47 s and exits as if all were well.

    Raises:
        ConfigError: There is no address; sockets would take that for every address of this machine.
        EnvironmentFault: The port is in use or the address is not this machine's.
    """
    if not host.strip():
        raise ConfigError(f"--host: got {host!r}; an address is needed, 127.0.0.1 for this machine only")
    try:
        with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
            return
    except OSError as error:
        cure = f"stop what uses it, or choose another: dlexp ui --port {_free_port(host)}"
        raise EnvironmentFault(f"port {port} on {host}: {error.strerror or error}; {cure}") from error


def deep_link(runs_dir: Path) -> str:
    """Return the path of the training view (MLflow opens in its GenAI one), sorted by the newest run's summary."""
    for path in reversed(run_paths(runs_dir)):
        sent = Sent.read(RunFolder(path))
        if sent.experiment_id is not None:
            link = f"/#/experiments/{sent.experiment_id}/runs?workflowType=machine_learning"
            if sent.has_view:
                return f"{link}&viewStateShareKey={view.KEY}"  # beside another sort in the address it is not read
            if sent.summary is None:
                return link
            key = quote(f"metrics.`{sent.summary}`", safe="")
            return f"{link}&orderByKey={key}&orderByAsc={json.dumps(sent.ascending)}"
    return "/#/experiments?workflowType=machine_learning"


def _start(chosen: store.Store, host: str, port: int, log: Path, pages: list[str]) -> subprocess.Popen[bytes]:
    names = {"localhost", "127.0.0.1", host} | ({socket.gethostname()} if host in _ANYWHERE else set())
    hosts = sorted(f"[{name}]:{port}" if ":" in name else f"{name}:{port}" for name in names)
    command = [sys.executable, "-P", "-m", "dlexp.tracking.server", host, str(port), str(os.getpid()), *pages]
    with open_in_place(log, "wb") as file:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,  # a group of its own: stopped as a whole, by us alone
            env={**os.environ, **server.environment(chosen.connection, chosen.artifacts or "", hosts)},
            cwd=log.parent,
        )


def _wait_until_ready(
    process: subprocess.Popen[bytes], address: str, log: Path, progress: Callable[[float], None]
) -> None:
    started = time.monotonic()
    while (waited := time.monotonic() - started) < _READY_SECONDS:
        if process.poll() is not None:
            raise EnvironmentFault(f"the MLflow server ended with status {process.returncode}; see {log}")
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=2):
                return
        except OSError:
            progress(waited)
            time.sleep(0.5)
    raise EnvironmentFault(f"the MLflow server did not answer within {_READY_SECONDS:.0f} s; see {log}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the server and its workers, whether or not the server itself is still there."""
    for signum in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, signum)
        except ProcessLookupError:
            break
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            continue
    process.wait()


def _free_port(host: str) -> int:
    with socket.create_server((host if ":" not in host else "127.0.0.1", 0)) as server:
        return server.getsockname()[1]
