"""The format, size and resolution of figures."""

import pytest

from dlexp.error import ConfigError
from dlexp.figure.style.look import Look, change_look, look, read_size


def test_sizes_are_read_in_centimetres():
    assert read_size("8") == (pytest.approx(3.1496, abs=1e-4), None)
    assert read_size("25.4x12.7") == (pytest.approx(10), pytest.approx(5))


@pytest.mark.parametrize(
    "text", ["", "x", "5.9", "61", "8x", "8x2", "8x121", "-8", "8cm", "8,5", "nan", "8x5x3", "1e1"]
)
def test_what_is_no_size_or_holds_no_figure_is_refused(text):
    with pytest.raises(
        ConfigError, match=rf"--figure-size: got {text}; WIDTH or WIDTHxHEIGHT in cm.* 6 to 60 wide and 3 to 120"
    ):
        read_size(text)


def test_what_is_changed_is_changed_and_nothing_else():
    assert look() == Look("png", None, None, 200)
    change_look(format="pdf")
    change_look(width=5.0)
    assert look() == Look("pdf", 5.0, None, 200)


def test_more_dots_than_memory_has_room_for_are_refused():
    change_look(width=60 / 2.54, dpi=500)
    with pytest.raises(ConfigError, match="--figure-dpi: got 28346 dots for a side of the figure; at most 12000"):
        change_look(dpi=1200)
    assert look().dpi == 500
