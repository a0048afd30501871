import pytest

from dlexp.config.secret import has_password, host, redact, reveal, variables
from dlexp.error import EnvironmentFault


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://me:s3cret@host:5000/x", "http://me:***@host:5000/x"),
        ("postgresql+psycopg2://me:p@ss:w@db/mlflow", "postgresql+psycopg2://me:***@db/mlflow"),
        ("https://ghp_token@host", "https://***@host"),
        ("postgresql://me@db/mlflow", "postgresql://me@db/mlflow"),
        ("http://host:5000/a@b", "http://host:5000/a@b"),
        ("sqlite:////tmp/a@b.db", "sqlite:////tmp/a@b.db"),
        ("http://host/?token=abc&x=1", "http://host/?token=***&x=1"),
        ("mysql://h/db?ssl=1&password=abc", "mysql://h/db?ssl=1&password=***"),
        ("http://me:${oc.env:TOKEN}@host", "http://me:${oc.env:TOKEN}@host"),
        ("dlexp train 'tracking.uri=http://a:b@c' seed=1", "dlexp train 'tracking.uri=http://a:***@c' seed=1"),
        ("no answer from http://a:b@c: x; or http://d:e@f", "no answer from http://a:***@c: x; or http://d:***@f"),
        ("nothing here: a@b", "nothing here: a@b"),
        ("", ""),
    ],
)
def test_passwords_are_hidden_and_nothing_else(text, expected):
    assert redact(text) == expected
    assert redact(expected) == expected
    assert has_password(text) == (text != expected)


def test_references_are_resolved_at_use(monkeypatch):
    monkeypatch.setenv("TOKEN", "s3cret")
    uri = "http://me:${oc.env:TOKEN}@${oc.env:HOST_OF_NOBODY,there}:5000"
    assert variables(uri) == ["TOKEN", "HOST_OF_NOBODY"]
    assert reveal(uri) == "http://me:s3cret@there:5000"
    assert host("http://me:${oc.env:TOKEN}@there:5000/x") == "http://there:5000"
    with pytest.raises(EnvironmentFault, match="the environment has no ABSENT_X; set it"):
        reveal("http://${oc.env:ABSENT_X}@there")
