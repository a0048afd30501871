"""Any text is drawn as it is."""

from xml.etree import ElementTree

import pytest

from dlexp.figure.style.canvas import new_figure, render
from dlexp.figure.style.text import Labels, label, letters, plain, shorten, use_fonts, wrap
from tests.figure.drawn import HARD_NAMES, LONG, assert_is_drawn_whole


@pytest.mark.parametrize("name", [*HARD_NAMES, "$50k", "<$50k and >$20k", "a_b^c", "100 %", "{x}", r"\$5 and $6"])
def test_any_text_is_drawn_without_a_warning(name):
    figure = new_figure(9, 2)
    axis = figure.subplots()
    axis.plot([0, 1], label=plain(name) or "-")
    axis.set_title(plain(name))
    axis.legend()
    assert_is_drawn_whole(figure)
    ElementTree.fromstring(render(figure, "svg"))
    assert len(axis.get_legend_handles_labels()[1]) == 1


def test_dollars_are_no_formula_and_an_underscore_hides_nothing():
    assert plain("$50k") == r"\$50k"
    assert plain("_x").lstrip("\u200b") == "_x"
    assert plain("a\n b\tc") == "a b c"


def test_a_character_without_a_glyph_is_a_square(monkeypatch):
    monkeypatch.setattr("dlexp.figure.style.text._font", lambda character: None if character == "猫" else "DejaVu Sans")
    assert plain("a猫") == "a□"
    assert label(["dog", "猫"]).short == ["dog", "#2"]
    assert "no installed font" in label(["dog", "猫"]).key[0]
    assert label(["dog", "猫"], places=[3, 7]).short == ["dog", "#8"]


def test_another_font_is_taken_where_it_has_the_glyph(monkeypatch):
    fonts = {"猫": "Some CJK"}
    monkeypatch.setattr("dlexp.figure.style.text._font", lambda character: fonts.get(character, "DejaVu Sans"))
    figure = new_figure(2, 1)
    latin, chinese = figure.text(0, 0, "cat"), figure.text(0, 0, "猫")
    use_fonts(figure)
    assert chinese.get_fontfamily() == ["DejaVu Sans", "Some CJK"]
    assert "Some CJK" not in latin.get_fontfamily()


def test_long_names_are_letters_with_a_key():
    assert label(["a", "b"]) == Labels(["a", "b"], [])
    labels = label([LONG, "b"])
    assert labels.short == ["A", "B"]
    assert labels.key[1] == "B  b"
    assert labels.key[0].startswith("A  a_label")
    assert [letters(place) for place in (0, 25, 26, 27, 701, 702)] == ["A", "Z", "AA", "AB", "ZZ", "AAA"]


def test_a_key_has_no_line_longer_than_its_width():
    lines = [
        line.replace("\u00a0", " ") for line in wrap([f"A  {'x' * 49}", "B  a name of words in more than a line"], 3)
    ]
    assert lines[0].startswith("A  xxx")
    assert lines[1:] == ["    xxx", "B  a name of words in more than a line"]
    assert max(map(len, lines)) <= 3 * 72 / (0.62 * 7)
    assert wrap([], 3) == []


def test_the_middle_of_a_long_text_is_left_out():
    assert shorten("abcdefghij", 7) == "abc…hij"
    assert shorten("abc", 7) == "abc"
    assert len(shorten("x" * 99, 28)) == 28
