"""The figure of differences: what stands in it."""

import math

from dlexp.report.compare import difference_figure, draw
from tests.report.drawn import numbers

RUNS = [{"run_id": letter, "label": f"{letter} model"} for letter in "xyz"]
PAIRS = [
    {"a": "x", "b": "y", "difference": 0.1, "interval": [0.05, 0.15], "p_holm": 0.01, "verdict": "a"},
    {"a": "x", "b": "z", "difference": 0.0, "interval": [-0.1, 0.1], "p_holm": 0.9, "verdict": "cannot tell"},
    {"a": "y", "b": "z", "difference": 1.0, "interval": [math.nan] * 2, "p_holm": 1.0, "verdict": "cannot tell"},
]
COMPARED = {"metric": "val/accuracy", "runs": RUNS, "pairs": PAIRS}


def test_a_line_and_a_point_for_each_pair_coloured_by_the_verdict():
    (axis,) = difference_figure(COMPARED).axes
    zero, *lines = axis.get_lines()
    assert numbers(zero.get_xdata()) == [0, 0]
    assert [numbers(line.get_xdata()) for line in lines[0:4:2]] == [[0.05, 0.15], [-0.1, 0.1]]
    firsts = [(numbers(line.get_xdata())[0], numbers(line.get_ydata())[0]) for line in lines[1::2]]
    assert firsts == [
        (0.1, 0),
        (0.0, 1),
        (1.0, 2),
    ]
    assert [line.get_color() for line in lines[1::2]] == ["tab:blue", "tab:gray", "tab:gray"]
    assert [text.get_text() for text in axis.texts] == [
        "x model is better, p = 0.01",
        "cannot tell, p = 0.9",
        "cannot tell, p = 1",
    ]
    assert axis.get_yticklabels()[0].get_text() == "x model\n- y model"
    assert axis.get_xlabel() == "difference in val/accuracy"
    assert axis.get_ylim() == (2.5, -0.6)


def test_it_is_written_as_a_picture(tmp_path):
    assert draw(COMPARED, tmp_path / "a" / "b.png").read_bytes().startswith(b"\x89PNG")
