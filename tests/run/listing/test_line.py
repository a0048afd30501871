"""Lines of the index: what was written is read, names stand there once, and what is torn harms no other line."""

import json

import pytest

from dlexp.run.listing.line import DamagedLine, Values, read_lines, write_lines

A = ([1, 2, 3], {"status": "finished", "metrics": {"val/loss": 0.5, "val/accuracy": 1.0}, "params": {}})
B = ([4, 5, 6], {"status": "failed", "metrics": {"val/loss": float("inf"), "val/accuracy": 0.0}, "params": {}})
C = ([7, 8, 9], {"status": "finished", "tags": ["x,y", "é\n"], "metrics": {}, "params": {"lr": "1"}})


def read(text):
    return read_lines(text, lambda names: True)


def test_what_was_written_is_read():
    known: set[str] = set()
    text = write_lines([("e/a", A), ("e/b", B), ("e/c", C)], known)
    entries, num_lines, names = read(text)
    assert entries == {"e/a": A, "e/b": B, "e/c": C}
    assert (num_lines, names) == (5, known)  # the names of a and b, and those of c


def test_names_that_stand_there_are_not_written_again_and_later_lines_count():
    known: set[str] = set()
    text = write_lines([("e/a", A)], known)
    more = write_lines([("e/a", B)], known)
    assert len(more.split("\n")) == 3
    assert read(text + more)[0] == {"e/a": B}


@pytest.mark.parametrize("torn", ['["e/b", [4, 5', "\x00", "[1", "null", "7", '{"a": 1}', '["e/b", [1], {}]', "]["])
def test_a_line_that_is_torn_harms_no_other(torn):
    text = write_lines([("e/a", A)], set()) + torn + write_lines([("e/c", C)], set())
    assert read(text)[0] == {"e/a": A, "e/c": C}


def test_names_that_are_not_those_of_their_digest_or_not_wanted_are_not_believed():
    text = write_lines([("e/a", A)], set())
    first, second = (json.loads(line) for line in text.split("\n") if line)
    first[2] = ["val/accuracy", "val/loss"]
    assert read("\n".join(map(json.dumps, (first, second))))[0] == {}
    assert read_lines(text, lambda names: "tags" in names[0])[0] == {}


def test_values_are_read_when_another_than_the_known_one_is_asked_for():
    values = Values(dict.fromkeys(["val/loss", "val/accuracy"]), "[0.5, 1.0]", "val/accuracy", 1.0)
    assert (values["val/accuracy"], values.get("val/loss"), values.get("none")) == (1.0, 0.5, None)
    assert values == {"val/loss": 0.5, "val/accuracy": 1.0}


@pytest.mark.parametrize("text", ["[0.5]", "[0.5, 1.0, 2.0]", "[0.5,", "7", ""])
def test_values_that_are_damaged_say_so(text):
    values = Values(dict.fromkeys(["val/loss", "val/accuracy"]), text, "val/accuracy", 1.0)
    assert values["val/accuracy"] == 1.0
    with pytest.raises(DamagedLine):
        values.get("val/loss")
