"""MLflow's sqlite database: whether it is whole, and where its artifacts are; asked without importing mlflow.

Creating one takes seconds of migrations. It is made under another name and renamed when it is whole, so that a kill
leaves none behind; one that an older version left half made, and that holds no run, is put aside.
"""

import math
import os
import re
import sqlite3
import sys
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dlexp.error import EnvironmentFault, first_ten
from dlexp.tracking.content import Point

_MOMENT = 0.5  # seconds; a row takes 10 ms
MOVE = "move it away; `dlexp sync` fills a new one"
NEWER = "was made by a newer MLflow than is installed; pip install -U mlflow"
_FIRST_TABLES = {
    "alembic_version",
    "experiments",
    "runs",
}  # MLflow makes one of them first
_REVISION = re.compile(r"^(revision|down_revision) = \"(\w+)\"", re.MULTILINE)
_POINT = ("run_uuid", "key", "value", "is_nan", "timestamp", "step")  # columns of both tables of metrics
_INSIDE = "mlartifacts"  # the folder of artifacts beside the database


def address(database: Path) -> str:
    """Return the URI by which SQLAlchemy opens a database file.

    From 2.1 on SQLAlchemy decodes what %XX stands for, before it takes it as it is, and always ends the path at a ?.
    The driver is named where that matters, because MLflow would make the folders of the address as it is written.
    """
    path = str(database)
    if not {"?", "%"} & set(path):
        return f"sqlite:///{path}"
    from sqlalchemy import make_url

    if make_url("sqlite:///%25").database == "%":
        return f"sqlite+pysqlite:///{quote(path)}"
    return f"sqlite+pysqlite:///file:{quote(path)}?uri=true"


def examine(database: Path, name: str, timeout: float) -> bool:
    """Say whether a database is there to be used; one that was left half made and empty is put aside.

    Args:
        database: The file.
        name: The store as it is shown.
        timeout: Longest wait in seconds for another process to unlock it.

    Raises:
        EnvironmentFault: It is something else, damaged, locked, or may not be read.
    """
    if not database.exists():
        return False
    if not database.is_file():
        raise EnvironmentFault(f"{name}: got {'a folder' if database.is_dir() else 'no file'}; {MOVE}")
    if not os.access(database, os.R_OK):
        raise EnvironmentFault(f"{name}: may not be read; allow it, or set tracking.uri to another")
    if _is_half_made(database, name, timeout):
        os.replace(database, database.with_name(f"{database.name}.incomplete"))
        return False
    return True


def _is_half_made(database: Path, name: str, timeout: float) -> bool:
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=rw", uri=True, timeout=timeout)) as connection:
            if os.access(database, os.W_OK):
                connection.execute("begin immediate")
                connection.rollback()
            if is_whole := _has_tables(connection):
                _require_schema(connection, name)
            return not is_whole
    except (sqlite3.Error, UnicodeDecodeError) as error:  # the second from messages that quote what is damaged
        raise EnvironmentFault(f"{name}: {_cure(error, timeout)}") from error


def _has_tables(connection: sqlite3.Connection) -> bool:
    """Say whether the tables of runs are there, or hold something that must not be lost."""
    tables = {table for (table,) in connection.execute("select name from sqlite_master where type = 'table'")}
    if "runs" in tables and connection.execute("select count(*) from runs").fetchone()[0]:
        return True
    if not {"alembic_version", "experiments", "runs", "metrics", "params", "tags"} <= tables:
        if tables and not tables & _FIRST_TABLES:
            raise sqlite3.DatabaseError(f"holds {first_ten('table', sorted(tables))}, which MLflow did not make")
        return False
    return connection.execute("select count(*) from alembic_version").fetchone()[0] > 0


def _require_schema(connection: sqlite3.Connection, name: str) -> None:
    """Refuse a schema that the installed MLflow would refuse after seconds, by its migrations.

    Raises:
        EnvironmentFault: It is older or newer.
    """
    version, parents = None, _migrations()
    with suppress(sqlite3.OperationalError):  # no such table: MLflow has the word
        version = (connection.execute("select version_num from alembic_version").fetchone() or (None,))[0]
    if version is None:
        return
    if parents and version not in parents:
        raise EnvironmentFault(f"{name}: {NEWER}")
    if version in parents.values():
        raise EnvironmentFault(f"{name}: was made by an older MLflow; keep a copy and run: mlflow db upgrade {name}")


def _migrations() -> dict[str, str | None]:
    """Return the versions of the schema that the installed MLflow knows, with the one before each; none if unknown."""
    spec = find_spec("mlflow")  # not imported
    places = [Path(place) for place in (spec and spec.submodule_search_locations) or ()]
    parents: dict[str, str | None] = {}
    for file in (file for place in places for file in place.glob("store/db_migrations/versions/*.py")):
        revisions = dict(_REVISION.findall(file.read_text(encoding="utf-8")))
        if "revision" in revisions:
            parents[revisions["revision"]] = revisions.get("down_revision")
    return parents


def _cure(error: Exception, timeout: float) -> str:
    text = str(error)
    if "locked" in text or "busy" in text:
        cure = "end that process, or set tracking.timeout to more"
        return f"is locked by another process for more than {timeout:g} s; {cure}"
    if isinstance(error, UnicodeDecodeError):
        return f"is damaged; {MOVE}"
    if "readonly" in text or "unable to open" in text:
        return "may not be written to; allow it, or set tracking.uri to another"
    return f"{text}; {MOVE}"


def write_points(database: Path, run_id: str, points: Sequence[Point], timeout: float) -> bool:
    """Write a run's metrics in one transaction, as MLflow's `log_batch` would; what is there already stays.

    MLflow makes two objects of each point, which takes 130 us of CPU where a row takes 5.

    Args:
        database: The file.
        run_id: MLflow's id of the run.
        points: In the order of their epochs.
        timeout: Longest wait in seconds for another process to unlock it.

    Returns:
        False, with nothing written, where the tables are not those that this knows.
    """
    rows = [(run_id, point.name, *_as_stored(point.value), point.time, point.epoch) for point in points]
    with closing(sqlite3.connect(database, timeout=timeout)) as connection, connection:
        if any(set(_columns(connection, table)) != set(_POINT) for table in ("metrics", "latest_metrics")):
            return False
        values = f"({', '.join(_POINT)}) values ({', '.join('?' * len(_POINT))})"
        connection.executemany(f"insert or ignore into metrics {values}", rows)
        changes = ", ".join(f"{name} = excluded.{name}" for name in _POINT[2:])
        newer = "(excluded.step, excluded.timestamp, excluded.value) > (step, timestamp, value)"
        change = f"on conflict (key, run_uuid) do update set {changes} where {newer}"
        connection.executemany(f"insert into latest_metrics {values} {change}", _latest(rows))
    return True


def _latest(rows: list[tuple[Any, ...]]) -> Iterable[tuple[Any, ...]]:
    """Return the last row of each metric, by epoch, time and value as MLflow does, in the order of the first ones."""
    latest: dict[str, tuple[Any, ...]] = {}
    for row in rows:
        _, name, value, _, time, epoch = row
        _, _, last_value, _, last_time, last_epoch = latest.get(name, row)
        if (epoch, time, value) >= (last_epoch, last_time, last_value):
            latest[name] = row
    return latest.values()


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"pragma table_info({table})")]


def _as_stored(value: float) -> tuple[float, bool]:
    """Return a value as MLflow stores it, and whether it is no number: SQL has neither NaN nor infinity."""
    if math.isnan(value):
        return 0.0, True
    return min(max(value, -sys.float_info.max), sys.float_info.max), False


def is_locked(database: Path) -> bool:
    """Say whether another process keeps a database to itself, for longer than who writes a row does."""
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=rw", uri=True, timeout=_MOMENT)) as connection:
            connection.execute("begin immediate")
            connection.rollback()
    except sqlite3.Error as error:
        return "locked" in str(error)
    return False


def mend_places(database: Path, timeout: float) -> None:
    """Point the addresses of artifacts to the folder beside the database, where that was moved or copied.

    MLflow keeps them absolute: what is sent after a move would make the old place anew.

    Args:
        database: The file.
        timeout: Longest wait in seconds for another process to unlock it.
    """
    here = (database.parent / _INSIDE).as_uri()
    with closing(sqlite3.connect(database, timeout=timeout)) as connection, suppress(sqlite3.OperationalError):
        for table, column, key in (
            ("experiments", "artifact_location", "experiment_id"),
            ("runs", "artifact_uri", "run_uuid"),
        ):
            rows = connection.execute(f"select {key}, {column} from {table} where {column} like ?", (f"%/{_INSIDE}/%",))
            moved = [(_beside(here, place), id_) for id_, place in rows if not place.startswith(f"{here}/")]
            if moved:
                connection.executemany(f"update {table} set {column} = ? where {key} = ?", moved)
        connection.commit()  # a database that may only be read stays as it is


def _beside(here: str, place: str) -> str:
    return f"{here}/{place.partition(f'/{_INSIDE}/')[2]}"
