"""Where MLflow keeps runs: which store is meant, whether it answers, and a client for it.

Databases are created under a file lock: of four processes that create one at once three would crash.
"""

import logging
import os
import socket
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from dlexp.config.source.environment import HIDDEN, redact
from dlexp.config.source.reference import resolve_text
from dlexp.config.trust import require_references
from dlexp.error import EnvironmentFault
from dlexp.run.lock import Lock
from dlexp.run.name import experiment_folder

if TYPE_CHECKING:
    from mlflow import MlflowClient

SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # with the default 7, an unreachable server blocked for over 400 s
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "GIT_PYTHON_REFRESH": "quiet",
}
STORE = "store"  # the field of a manifest that says which store the run was meant for when it began
_CONNECT_SECONDS = 3.0
_CREATE_SECONDS = 120.0
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Store:
    """A store and where artifacts of new experiments go.

    Attributes:
        uri: Absolute URI, passwords included; for connecting only.
        artifacts: URI of the folder for artifacts; None where the server decides.
        is_default: Whether it is the database in runs_dir.
    """

    uri: str
    artifacts: str | None
    is_default: bool

    @property
    def database(self) -> Path | None:
        """The database file of a sqlite store."""
        return Path(self.uri.removeprefix("sqlite:///")) if self.uri.startswith("sqlite:///") else None

    @property
    def name(self) -> str:
        """The URI as it may be shown."""
        return redact(self.uri)

    @property
    def address(self) -> str | None:
        """The URI as run folders keep it; None for the database in runs_dir, wherever that is moved."""
        return None if self.is_default else self.name

    def __repr__(self) -> str:
        return f"Store({self.name})"


def choose(runs_dir: Path, uri: str | None, *, asks_environment: bool = True) -> Store:
    """Return the store that is meant, with every path absolute.

    Args:
        runs_dir: Folder of all runs.
        uri: `tracking.uri`, or what a run folder keeps; None asks MLFLOW_TRACKING_URI.
        asks_environment: False takes the database in runs_dir where `uri` is None.

    Raises:
        ConfigError: The URI refers to a variable of the environment that is not set.
        RunError: It refers to one, and the user never typed it on this machine.
        EnvironmentFault: Its password was not kept.
    """
    variable = os.environ.get("MLFLOW_TRACKING_URI") or None
    chosen = uri or (variable if asks_environment else None)
    if chosen is None:
        runs_dir = runs_dir.resolve()
        return Store(f"sqlite:///{runs_dir / 'mlflow.db'}", (runs_dir / "mlartifacts").as_uri(), True)
    if HIDDEN in chosen and variable is not None and redact(variable) == chosen:
        chosen = variable
    require_references(chosen, "tracking.uri")
    chosen = resolve_text(chosen)
    if chosen.startswith("sqlite:///"):
        path = Path(chosen.removeprefix("sqlite:///")).absolute()
        return Store(f"sqlite:///{path}", (path.parent / "mlartifacts").as_uri(), False)
    if HIDDEN in chosen:
        raise EnvironmentFault(f"{chosen}: its password is not kept; set MLFLOW_TRACKING_URI to the whole address")
    return Store(chosen, None, False)


def check_reachable(store: Store) -> None:
    """Connect to a server's port, to know within seconds what its own client finds out in minutes.

    Raises:
        EnvironmentFault: Nothing answers there.
    """
    parts = urlsplit(store.uri)
    if parts.scheme not in _PORTS:
        return
    address = (parts.hostname or "localhost", parts.port or _PORTS[parts.scheme])
    try:
        socket.create_connection(address, _CONNECT_SECONDS).close()
    except OSError as error:
        raise EnvironmentFault(f"no answer from {store.name}: {error.strerror or error}") from error


def connect(store: Store) -> "MlflowClient":
    """Return a client whose store exists and answers; imports mlflow, which takes seconds.

    Raises:
        EnvironmentFault: The server does not answer.
    """
    check_reachable(store)
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from mlflow import MlflowClient

    logging.getLogger("mlflow").setLevel(logging.WARNING)
    with ExitStack() as stack:
        if store.database is not None:
            store.database.parent.mkdir(parents=True, exist_ok=True)
            lock = Lock(store.database.with_suffix(".lock"))
            lock.acquire(_CREATE_SECONDS)
            stack.callback(lock.release)
        client = MlflowClient(tracking_uri=store.uri, registry_uri=store.uri)
        client.search_experiments(max_results=1)
    return client


def experiment_id(client: "MlflowClient", store: Store, name: str) -> str:
    """Return the id of an experiment, made if need be; several processes may ask at once.

    Raises:
        EnvironmentFault: It is in MLflow's trash.
    """
    from mlflow.exceptions import MlflowException

    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        location = None if store.artifacts is None else f"{store.artifacts}/{quote(experiment_folder(name))}"
        try:
            return client.create_experiment(name, artifact_location=location)
        except MlflowException:
            experiment = client.get_experiment_by_name(name)
            if experiment is None:
                raise
    if experiment.lifecycle_stage != "active":
        raise EnvironmentFault(
            f"experiment {name} is in MLflow's trash; restore it or set tracking.experiment to another"
        )
    return experiment.experiment_id
