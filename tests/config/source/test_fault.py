"""An error of the user's code names their file and line."""

from importlib import import_module

from dlexp.config import trust
from dlexp.config.source.fault import user_fault, user_place


def caught(function):
    try:
        function()
    except Exception as error:
        return error
    raise AssertionError("no error came")


def test_the_users_line_is_named(tmp_path, monkeypatch):
    (tmp_path / "faulty_parts.py").write_text("def fail():\n    raise ValueError('boom')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    error = caught(import_module("faulty_parts").fail)
    assert user_fault(error) == ""  # nobody trusted it
    trust.grant(["faulty_parts"])
    assert user_fault(error) == "error in faulty_parts.py:2: boom (ValueError)"
    wrapped = RuntimeError("wrapped")
    wrapped.__cause__ = error
    assert user_place(wrapped) == "faulty_parts.py:2"
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert user_place(error) == f"{tmp_path}/faulty_parts.py:2"


def test_other_errors_are_not_theirs():
    assert user_fault(caught(lambda: 1 / 0)) == ""
    assert user_place(None) == ""
