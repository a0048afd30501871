"""Values and errors as they are printed."""

import json
import math
from importlib import import_module

output = import_module("dlexp.cli.output")  # installed from cli/, which type checkers cannot see


def test_numbers_that_json_cannot_say_become_null(capsys):
    output.show_json({"a": [math.nan, (math.inf, 1.5)], "b": -math.inf, "c": "nan"})
    assert json.loads(capsys.readouterr().out) == {"a": [None, [None, 1.5]], "b": None, "c": "nan"}


def test_an_error_is_one_line(capsys):
    assert output.show_error("data", "a\n  b", 2, is_json=False) == 2
    assert capsys.readouterr() == ("", "data error: a b\n")
    assert output.show_error("data", "a\n  b", 1, is_json=True) == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out) == {"error": {"kind": "data", "message": "a b"}}
    assert captured.err == "data error: a b\n"


def test_words_for_people_go_to_stderr_beside_json_and_nowhere_when_quiet(capsys):
    output.people().print("one")
    output.people(True).print("two")
    output.people(is_quiet=True).print("three")
    assert capsys.readouterr() == ("one\n", "two\n")
