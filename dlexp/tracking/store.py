"""Where MLflow keeps runs: which store is meant, whether it answers, and a client for it.

Databases are created under a file lock: of four processes that create one at once three would crash.
"""

import logging
import math
import os
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from dlexp.config.source.environment import HIDDEN, hide_passwords, hide_variables_of, redact
from dlexp.config.source.reference import resolve_text
from dlexp.config.trust import require_references
from dlexp.disk.durable import disk_faults
from dlexp.error import EnvironmentFault, first_line
from dlexp.run.lock import Lock
from dlexp.run.name import experiment_folder
from dlexp.tracking import database as database_file
from dlexp.tracking.reach import require_answer
from dlexp.tracking.request.load import load

if TYPE_CHECKING:
    from mlflow import MlflowClient

_REQUEST_SECONDS = 20  # of a request, which may send much
SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # with the default 7, an unreachable server blocked for over 400 s
    "MLFLOW_HTTP_REQUEST_TIMEOUT": str(_REQUEST_SECONDS),
    "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER": "false",  # a server may say to come back tomorrow
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # there `dlexp sync` has a table or JSON
    "GIT_PYTHON_REFRESH": "quiet",
}
_QUIET = {"MLFLOW_LOGGING_LEVEL": "CRITICAL"}  # what it raises is told in one line, what it logs has pages
STORE = "store"  # the field of a manifest that says which store the run was meant for when it began
TIMEOUT = 5.0  # seconds that a store may take to answer
_CREATE_SECONDS = 120.0


@dataclass(frozen=True)
class Store:
    """A store and where artifacts of new experiments go.

    Attributes:
        uri: Absolute URI, passwords included; for connecting only.
        artifacts: URI of the folder for artifacts; None where the server decides.
        is_default: Whether it is the database in runs_dir.
        written: The URI with variables of the environment as references; None where that is `uri`.
        timeout: Longest time in seconds that it may take to answer, or to be unlocked.
    """

    uri: str
    artifacts: str | None
    is_default: bool
    written: str | None = None
    timeout: float = TIMEOUT

    @property
    def database(self) -> Path | None:
        """The database file of a sqlite store."""
        return Path(self.uri.removeprefix("sqlite:///")) if self.uri.startswith("sqlite:///") else None

    @property
    def connection(self) -> str:
        """The URI as SQLAlchemy understands it: the path of a database as it is, whatever characters it has."""
        return self.uri if self.database is None else database_file.address(self.database)

    @property
    def name(self) -> str:
        """The URI as it may be shown."""
        return hide_passwords(self.written or self.uri)

    @property
    def address(self) -> str | None:
        """The URI as run folders keep it; None for the database in runs_dir, wherever that is moved."""
        return None if self.is_default else self.name

    def __repr__(self) -> str:
        return f"Store({self.name})"


def choose(runs_dir: Path, uri: str | None, *, asks_environment: bool = True, timeout: float | None = None) -> Store:
    """Return the store that is meant, with every path absolute.

    Args:
        runs_dir: Folder of all runs.
        uri: `tracking.uri`, or what a run folder keeps; None asks MLFLOW_TRACKING_URI.
        asks_environment: False takes the database in runs_dir where `uri` is None.
        timeout: `tracking.timeout`; None takes its default.

    Raises:
        ConfigError: The URI refers to a variable of the environment that is not set.
        RunError: It refers to one, and the user never typed it on this machine.
        EnvironmentFault: Its password was not kept.
    """
    chosen = _chosen(runs_dir, uri, asks_environment=asks_environment)
    return chosen if timeout is None else replace(chosen, timeout=timeout)


def _chosen(runs_dir: Path, uri: str | None, *, asks_environment: bool) -> Store:
    variable = os.environ.get("MLFLOW_TRACKING_URI") or None
    chosen = uri or (variable if asks_environment else None)
    if chosen is None:
        runs_dir = runs_dir.resolve()
        return Store(f"sqlite:///{runs_dir / 'mlflow.db'}", (runs_dir / "mlartifacts").as_uri(), True)
    if HIDDEN in chosen and variable is not None and hide_passwords(variable) == chosen:
        chosen = variable
    require_references(chosen, "tracking.uri")
    hide_variables_of(chosen)
    resolved = resolve_text(chosen)
    if resolved.startswith("sqlite:///"):
        return _database(chosen, resolved)
    if HIDDEN in resolved:
        raise EnvironmentFault(f"{chosen}: its password is not kept; set MLFLOW_TRACKING_URI to the whole address")
    return Store(resolved, None, False, chosen)


def _database(written: str, resolved: str) -> Store:
    """Return a sqlite database by its URI as written and as resolved, both made absolute."""
    path = Path(resolved.removeprefix("sqlite:///")).expanduser()
    if written.startswith("sqlite:///"):
        shown = Path(written.removeprefix("sqlite:///")).expanduser()
        written = f"sqlite:///{shown if path.is_absolute() else shown.absolute()}"
    path = path.absolute()
    return Store(f"sqlite:///{path}", (path.parent / "mlartifacts").as_uri(), False, written)


def connect(store: Store) -> "MlflowClient":
    """Return a client whose store exists and answers; imports mlflow, which takes seconds.

    Raises:
        EnvironmentFault: The server does not answer.
    """
    require_answer(store.uri, store.name, store.timeout)
    requests = {"MLFLOW_HTTP_REQUEST_TIMEOUT": str(max(_REQUEST_SECONDS, math.ceil(store.timeout)))}
    for name, value in {**SETTINGS, **_QUIET, **requests}.items():
        os.environ.setdefault(name, value)
    with ExitStack() as stack:
        if store.database is not None:
            with disk_faults(store.database):
                store.database.parent.mkdir(parents=True, exist_ok=True)
                lock = Lock(store.database.with_suffix(".lock"))
                lock.acquire(_CREATE_SECONDS)
            stack.callback(lock.release)
            _prepare(store, store.database)  # tells what is wrong with it before seconds of imports
        load(is_database=store.database is not None)
        from mlflow import MlflowClient

        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        try:
            client = MlflowClient(tracking_uri=store.connection, registry_uri=store.connection)
            client.search_experiments(max_results=1)
        except Exception as error:  # whatever databases and servers raise; their messages are pages long
            raise EnvironmentFault(f"{store.name}: {explain(error, store)}") from error
    return client


def _prepare(store: Store, database: Path) -> None:
    """Have a whole database with its artifacts beside it."""
    if database_file.examine(database, store.name, store.timeout):
        database_file.mend_places(database, store.timeout)
        return
    load(is_database=True)
    from mlflow import MlflowClient

    fresh = database.with_name(f"{database.name}.new")
    fresh.unlink(missing_ok=True)
    uri = database_file.address(fresh)
    MlflowClient(tracking_uri=uri, registry_uri=uri).search_experiments(max_results=1)
    os.replace(fresh, database)


def explain(error: Exception, store: Store) -> str:
    """Return in one line what a store's error means, and the cure."""
    text = redact(str(error))
    if "out-of-date" in text or "out of date" in text:
        return f"was made by an older MLflow; keep a copy and run: mlflow db upgrade {store.name}"
    if "locate revision" in text:
        return database_file.NEWER
    if "readonly database" in text:
        return "may not be written to; allow it, or set tracking.uri to another"
    if "malformed" in text or "not a database" in text:
        return f"is damaged; {database_file.MOVE}"
    cure = (
        "see that it is MLflow's, or move it away"
        if store.database
        else "look at its log, or set tracking.uri to another"
    )
    return f"{type(error).__name__}: {redact(first_line(error))[:200]}; {cure}"


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
