"""MLflow's sqlite database: whether it is whole, and where its artifacts are; asked without importing mlflow.

Creating one takes seconds of migrations. It is made under another name and renamed when it is whole, so that a kill
leaves none behind; one that an older version left half made, and that holds no run, is put aside.
"""

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

from dlexp.error import EnvironmentFault

_LOCK_SECONDS = 5.0
MOVE = "move it away; `dlexp sync` fills a new one"
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


def examine(database: Path, name: str) -> bool:
    """Say whether a database is there to be used; one that was left half made and empty is put aside.

    Args:
        database: The file.
        name: The store as it is shown.

    Raises:
        EnvironmentFault: It is something else, damaged, locked, or may not be read.
    """
    if not database.exists():
        return False
    if not database.is_file():
        raise EnvironmentFault(f"{name}: got a folder; {MOVE}")
    if not os.access(database, os.R_OK):
        raise EnvironmentFault(f"{name}: may not be read; allow it, or set tracking.uri to another")
    if _is_half_made(database, name):
        os.replace(database, database.with_name(f"{database.name}.incomplete"))
        return False
    return True


def _is_half_made(database: Path, name: str) -> bool:
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=rw", uri=True, timeout=_LOCK_SECONDS)) as connection:
            if os.access(database, os.W_OK):
                connection.execute("begin immediate")
                connection.rollback()
            return not _has_tables(connection)
    except sqlite3.Error as error:
        raise EnvironmentFault(f"{name}: {_cure(error)}") from error


def _has_tables(connection: sqlite3.Connection) -> bool:
    """Say whether the tables of runs are there, or hold something that must not be lost."""
    tables = {table for (table,) in connection.execute("select name from sqlite_master where type = 'table'")}
    if "runs" in tables and connection.execute("select count(*) from runs").fetchone()[0]:
        return True
    if not {"alembic_version", "experiments", "runs", "metrics", "params", "tags"} <= tables:
        return False
    return connection.execute("select count(*) from alembic_version").fetchone()[0] > 0


def _cure(error: sqlite3.Error) -> str:
    text = str(error)
    if "locked" in text or "busy" in text:
        return f"is locked by another process for more than {_LOCK_SECONDS:.0f} s; end that process"
    if "readonly" in text or "unable to open" in text:
        return "may not be written to; allow it, or set tracking.uri to another"
    return f"{text}; {MOVE}"


def mend_places(database: Path) -> None:
    """Point the addresses of artifacts to the folder beside the database, where that was moved or copied.

    MLflow keeps them absolute: what is sent after a move would make the old place anew.
    """
    here = (database.parent / _INSIDE).as_uri()
    with closing(sqlite3.connect(database, timeout=_LOCK_SECONDS)) as connection, suppress(sqlite3.OperationalError):
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
