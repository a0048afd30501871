"""What a terminal would obey is written as Python writes it, and all else as it is."""

import pytest

from dlexp.console.printable import printable

HOSTILE = [
    "\x1b[31mred",
    "\x1b]0;title\x07",
    "\x1b[2J",
    "\x9b2J",
    "a\rb",
    "a\x08b",
    "\u202eabc",
    "\udcff",
    "\ud800",
    "\x00",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_obeyed_is_escaped(name):
    shown = printable(name)
    assert shown.isprintable()
    assert shown.encode()
    assert "\\" in shown


@pytest.mark.parametrize("name", ["Größe", "数据", "цель", "a\nb\tc", "שלום", "🐶", "[red]", "e\u0301"])
def test_all_else_stays(name):
    assert printable(name) == name


def test_a_byte_that_is_no_utf8_is_shown_as_the_byte():
    assert printable(b"\xff.csv".decode(errors="surrogateescape")) == r"\xff.csv"
