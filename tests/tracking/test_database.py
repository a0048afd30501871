import math
import shutil
import sqlite3
from contextlib import closing
from threading import Timer

import pytest
from sqlalchemy import create_engine, text

from dlexp.error import EnvironmentFault
from dlexp.tracking.content import Point
from dlexp.tracking.database import address, examine, mend_places, write_points
from dlexp.tracking.store import choose, connect


def execute(database, *statements):
    with closing(sqlite3.connect(database)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def test_a_whole_database_is_used_and_none_is_none(runs_dir, tmp_path):
    assert examine(runs_dir / "mlflow.db", "x", 5.0)
    assert not examine(tmp_path / "absent.db", "x", 5.0)


@pytest.mark.parametrize("made", [[], ["create table experiments (a)"], ["create table alembic_version (version_num)"]])
def test_one_that_was_left_half_made_is_put_aside(tmp_path, made):
    database = tmp_path / "mlflow.db"
    database.touch()
    execute(database, *made)
    assert not examine(database, "x", 5.0)
    assert [path.name for path in tmp_path.iterdir()] == ["mlflow.db.incomplete"]


def test_one_that_holds_a_run_is_never_put_aside(tmp_path):
    database = tmp_path / "mlflow.db"
    execute(database, "create table runs (a)", "insert into runs values (1)")
    assert examine(database, "x", 5.0)


def test_another_programs_database_is_left_where_it_is(tmp_path):
    database = tmp_path / "mine.db"
    execute(database, "create table invoices (a)", "create table customers (a)")
    with pytest.raises(
        EnvironmentFault, match="x: holds tables customers, invoices, which MLflow did not make; move it"
    ):
        examine(database, "x", 5.0)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.db"]


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ("451aebb31d03", "x: was made by an older MLflow; .* mlflow db upgrade x"),
        ("f" * 12, "x: was made by a newer MLf"),
    ],
)
def test_another_schema_is_told_before_mlflow_is_imported(runs_dir, tmp_path, version, told):
    database = shutil.copy(runs_dir / "mlflow.db", tmp_path / "other.db")
    execute(database, f"update alembic_version set version_num = '{version}'")
    with pytest.raises(EnvironmentFault, match=told):
        examine(database, "x", 5.0)


@pytest.mark.parametrize("content", [b"garbage" * 1000, b"SQLite format 3\0" + b"\xff" * 5000, b"\0" * 4096])
def test_what_is_no_database_is_one_line_with_the_cure(tmp_path, content):
    (tmp_path / "mlflow.db").write_bytes(content)
    with pytest.raises(EnvironmentFault, match=r"^the store: .*; move it away; `dlexp sync` fills a new one$"):
        examine(tmp_path / "mlflow.db", "the store", 5.0)


def test_one_with_damaged_pages_is_one_line(runs_dir, tmp_path):
    content = bytearray((runs_dir / "mlflow.db").read_bytes())
    for start in range(4096, len(content) - 4096, 997):
        content[start : start + 40] = b"\xff" * 40
    (tmp_path / "mlflow.db").write_bytes(content)
    with pytest.raises(EnvironmentFault, match=r"^x: .*; move it away; `dlexp sync` fills a new one$"):
        examine(tmp_path / "mlflow.db", "x", 5.0)


def test_a_folder_is_one_line(tmp_path):
    with pytest.raises(EnvironmentFault, match="the store: got a folder; move it away"):
        examine(tmp_path, "the store", 5.0)


def test_a_locked_one_is_waited_for_as_long_as_is_said(runs_dir):
    with closing(sqlite3.connect(runs_dir / "mlflow.db", check_same_thread=False)) as other:
        other.execute("begin exclusive")
        with pytest.raises(EnvironmentFault, match=r"for more than 0.2 s; end that process, or set tracking.timeout"):
            examine(runs_dir / "mlflow.db", "x", 0.2)
        unlock = Timer(0.3, other.rollback)
        unlock.start()
        assert examine(runs_dir / "mlflow.db", "x", 120.0)
        unlock.join()


def test_addresses_follow_a_folder_that_was_moved(runs_dir, query):
    database = runs_dir / "mlflow.db"
    old = "file:///old/place/runs/mlartifacts"
    execute(
        database,
        f"insert into experiments (name, artifact_location, lifecycle_stage) values ('m', '{old}/m', 'active')",
        "insert into experiments (name, artifact_location, lifecycle_stage) values ('s3', 's3://there/x', 'active')",
        f"insert into runs (run_uuid, artifact_uri, experiment_id) values ('r', '{old}/m/r/artifacts', 1)",
    )
    mend_places(database, 5.0)
    here = (runs_dir / "mlartifacts").as_uri()
    places = dict(query(database, "select name, artifact_location from experiments"))
    assert (places["m"], places["s3"]) == (f"{here}/m", "s3://there/x")
    assert query(database, "select artifact_uri from runs") == [(f"{here}/m/r/artifacts",)]
    before = database.read_bytes()
    mend_places(database, 5.0)
    assert database.read_bytes() == before


@pytest.mark.parametrize("folder", ["plain", "it's", "a b#c", "50%25", "what?", "a?b=c&d", "ä%3F?"])
def test_a_database_lies_in_its_folder_whatever_that_is_called(tmp_path, folder):
    database = tmp_path / folder / "mlflow.db"
    database.parent.mkdir()
    engine = create_engine(address(database))
    with engine.connect() as connection:
        connection.execute(text("create table t (x int)"))
        connection.commit()
    engine.dispose()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [database]
    with closing(sqlite3.connect(database)) as plain:
        assert plain.execute("select name from sqlite_master").fetchall() == [("t",)]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of MLflow's imports
def test_mlflow_makes_its_database_in_a_folder_of_any_name(tmp_path):
    folder = tmp_path / "it's 50%25? #1=a&b"
    folder.mkdir()
    store = choose(folder, None)
    connect(store).create_experiment("digits", artifact_location=f"{store.artifacts}/digits")
    assert {path.name for path in folder.iterdir()} == {"mlflow.db", "mlflow.lock"}
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


POINTS = [
    Point("best/x", 0.5, 1000, 1),
    Point("x", 0.5, 1000, 1),
    Point("y", math.nan, 1000, 1),
    Point("y", math.inf, 2000, 2),
    Point("x", -math.inf, 2000, 2),
    Point("x", -math.inf, 2000, 2),
    Point("best/x", 0.5, 2000, 2),
    Point("z", 1e-300, 500, 0),
    Point("z", 7.0, 400, 0),
]


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")  # of MLflow's queries
def test_points_are_stored_as_by_mlflow_and_twice_changes_nothing(runs_dir, tmp_path, query):
    from mlflow.entities import Metric

    database = shutil.copy(runs_dir / "mlflow.db", tmp_path / "mlflow.db")
    client = connect(choose(tmp_path, f"sqlite:///{database}"))
    theirs, ours = (client.create_run(client.create_experiment(name)).info.run_id for name in ("theirs", "ours"))
    for first in (0, 3, 0):  # in pieces, and all again
        client.log_batch(theirs, metrics=[Metric(*point) for point in POINTS[first:]])
        assert write_points(database, ours, POINTS[first:], 5.0)
    columns = "key, value, is_nan, timestamp, step"
    for table in ("metrics", "latest_metrics"):
        stored = {
            run: query(database, f"select {columns} from {table} where run_uuid = '{run}' order by {columns}")
            for run in (theirs, ours)
        }
        assert stored[theirs]
        assert stored[ours] == stored[theirs]
    history = [[point.value for point in client.get_metric_history(run, "x")] for run in (theirs, ours)]
    assert history[0] == history[1]
    assert list(client.get_run(ours).data.metrics) == list(client.get_run(theirs).data.metrics)


def test_tables_of_another_schema_are_left_to_mlflow(tmp_path, query):
    database = tmp_path / "mlflow.db"
    execute(database, "create table metrics (key, value)", "create table latest_metrics (key, value)")
    assert not write_points(database, "r", POINTS, 5.0)
    assert query(database, "select * from metrics") == []
