"""Which store is meant, whether it answers, and experiments made once however many ask."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dlexp.config import trust
from dlexp.error import EnvironmentFault, RunError
from dlexp.tracking.mlflow import MLflow
from dlexp.tracking.store import TIMEOUT, Store, choose, connect, experiment_id, explain


@pytest.fixture(autouse=True)
def _no_variable(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.mark.parametrize(
    ("uri", "variable", "asks", "expected"),
    [
        (None, None, True, None),
        ("http://setting", "http://variable", True, "http://setting"),
        (None, "http://variable", True, "http://variable"),
        (None, "http://variable", False, None),
    ],
)
def test_the_setting_comes_before_the_variable_before_the_database(
    tmp_path, monkeypatch, uri, variable, asks, expected
):
    if variable:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", variable)
    store = choose(tmp_path, uri, asks_environment=asks)
    assert store.is_default == (expected is None)
    assert store.uri == (expected or f"sqlite:///{tmp_path / 'mlflow.db'}")


def test_paths_are_absolute_and_artifacts_stand_beside_the_database(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = choose(Path("runs"), None)
    assert store.database == tmp_path / "runs" / "mlflow.db"
    assert store.artifacts == (tmp_path / "runs" / "mlartifacts").as_uri()
    store = choose(Path("runs"), "sqlite:///other/my.db")
    assert store.database == tmp_path / "other" / "my.db"
    assert store.artifacts == (tmp_path / "other" / "mlartifacts").as_uri()
    server = choose(Path("runs"), "http://host:5000")
    assert (server.database, server.artifacts) == (None, None)


def test_a_database_may_lie_at_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert choose(Path("runs"), "sqlite:///~/my.db").uri == f"sqlite:///{tmp_path / 'my.db'}"


@pytest.mark.filterwarnings("ignore")  # mlflow's own libraries warn of each other
def test_an_experiment_is_made_once_though_several_ask_at_once(runs_dir):
    store = choose(runs_dir, None)
    client = connect(store)
    with ThreadPoolExecutor(4) as pool:
        ids = set(pool.map(lambda _: experiment_id(client, store, "digits"), range(4)))
    assert len(ids) == 1
    experiment = client.get_experiment(ids.pop())
    assert experiment.name == "digits"
    assert experiment.artifact_location == f"{(runs_dir / 'mlartifacts').as_uri()}/digits"
    client.delete_experiment(experiment.experiment_id)
    with pytest.raises(EnvironmentFault, match="experiment digits is in MLflow's trash"):
        experiment_id(client, store, "digits")


def test_a_variable_is_sent_to_no_address_but_that_which_the_user_typed(tmp_path, monkeypatch):
    monkeypatch.setenv("TOKEN", "s3cret")
    monkeypatch.setattr(trust, "_typed", set())
    uri = "http://me:${oc.env:TOKEN}@there:5000"
    with pytest.raises(RunError, match="which you have not typed on this machine"):
        choose(tmp_path, uri)
    trust.accept_references(uri)
    store = choose(tmp_path, uri)
    assert (store.uri, store.name) == ("http://me:s3cret@there:5000", uri)
    assert store.address == store.name
    assert "s3cret" not in repr(store)
    with pytest.raises(RunError, match="elsewhere"):
        choose(tmp_path, uri.replace("there:5000", "elsewhere"))


def test_a_password_that_was_not_kept_comes_from_the_same_variable_or_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:s3cret@there")
    assert choose(tmp_path, "http://me:***@there", asks_environment=False).uri == "http://me:s3cret@there"
    with pytest.raises(EnvironmentFault, match="its password is not kept; set MLFLOW_TRACKING_URI"):
        choose(tmp_path, "http://me:***@elsewhere", asks_environment=False)


def test_a_secret_in_the_name_of_a_database_is_kept_as_its_reference(monkeypatch, tmp_path):
    monkeypatch.setenv("MY_TOKEN", "hunter22")
    uri = f"sqlite:///{tmp_path}/${{oc.env:MY_TOKEN}}.db"
    monkeypatch.setattr(trust, "_typed", {uri})
    store = choose(tmp_path, uri)
    assert store.database == tmp_path / "hunter22.db"
    assert store.name == store.address == uri


def test_a_secret_that_stands_in_a_path_by_chance_changes_no_address(monkeypatch, tmp_path):
    monkeypatch.setenv("MY_TOKEN", tmp_path.name)
    uri = "http://me:${oc.env:MY_TOKEN}@127.0.0.1"
    monkeypatch.setattr(trust, "_typed", {uri})
    assert choose(tmp_path, uri).name == uri
    store = choose(tmp_path, f"sqlite:///{tmp_path}/a.db")
    assert store.name == store.address == f"sqlite:///{tmp_path}/a.db"


@pytest.mark.parametrize("value", ["/abs/a.db", "rel/a.db"])
def test_the_address_of_a_database_by_a_reference_leads_to_it_from_any_folder(monkeypatch, tmp_path, value):
    monkeypatch.setenv("MY_DATABASE", value)
    monkeypatch.setattr("dlexp.tracking.store.require_references", lambda *_: None)
    monkeypatch.chdir(tmp_path)
    store = choose(tmp_path, "sqlite:///${oc.env:MY_DATABASE}")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert choose(tmp_path, store.address).database == store.database == tmp_path / value


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            "Detected out-of-date database schema (found version 1, but expected 2).",
            "mlflow db upgrade sqlite:////a.db",
        ),
        ("Can't locate revision identified by 'ffff'", "was made by a newer MLflow than is installed; pip install -U"),
        (
            "(raised as a result of Query-invoked autoflush)\n(sqlite3) database disk image is malformed",
            "is damaged; move",
        ),
        (
            "(sqlite3.OperationalError) no such table: runs\n[SQL: SELECT ...]",
            "no such table: runs; see that it is MLf",
        ),
    ],
)
def test_what_a_store_says_in_pages_is_one_line_with_the_cure(error, told):
    line = explain(RuntimeError(error), Store("sqlite:////a.db", None, False))
    assert told in line
    assert "\n" not in line
    assert len(line) < 300


def test_a_run_waits_for_an_answer_as_long_as_the_commands_do():
    assert MLflow().timeout == TIMEOUT
