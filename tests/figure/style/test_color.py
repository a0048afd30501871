"""Marks have 3:1 on white, and the ratio is WCAG's."""

import pytest

from dlexp.figure.style.color import FAILED, MARKED, NEUTRAL, SPLITS, VERDICTS, contrast, ranked_map, shades


def test_the_ratio_is_that_of_the_standard():
    assert contrast("black", "white") == pytest.approx(21.0)
    assert contrast("white", "white") == pytest.approx(1.0)
    assert contrast("#777777", "white") == pytest.approx(4.48, abs=0.01)  # the well-known grey just below 4.5
    assert contrast("white", "#777777") == contrast("#777777", "white")


def test_every_mark_stands_out_from_white():
    marks = [*SPLITS.values(), *VERDICTS.values(), NEUTRAL, MARKED, FAILED, *shades(40), ranked_map()(1.0)]
    assert min(contrast(color) for color in marks) >= 3.0
    assert len(set(SPLITS.values())) == 3


def test_a_shade_for_each_rank_the_first_the_darkest():
    ratios = [contrast(color) for color in shades(5)]
    assert ratios == sorted(ratios, reverse=True)
    assert [len(shades(num)) for num in (0, 1, 2)] == [0, 1, 2]
