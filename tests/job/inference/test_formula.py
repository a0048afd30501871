import pytest

from dlexp.job.inference.formula import inert


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "=", "--", "\n=1", "\uff1d1+1", "\uff20A1"],
)
def test_a_formula_gets_an_apostrophe(text):
    assert inert(text) == f"'{text}"


@pytest.mark.parametrize("cell", ["cat", "", "-3", "+4.5e-3", "-inf", "a=b", " =1", "'=1", -3, -0.5, None, True])
def test_what_is_none_stays(cell):
    assert inert(cell) is cell


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\r=1", "'\\x0d=1"),
        ("\x1b[31mcat", "\\x1b[31mcat"),
        ("a\x00b", "a\\x00b"),
        ("\u202etac", "\\u202etac"),
        ("a\nb", "a\nb"),
    ],
)
def test_a_character_that_a_terminal_obeys_is_written_out(text, shown):
    assert inert(text) == shown
