import numpy as np

from dlexp.figure.answer.calibration import calibration_figure
from dlexp.statistic.calibration import reliability
from tests.figure.drawn import assert_is_drawn_whole, numbers


def test_shares_stand_over_confidences_with_intervals_and_counts_below():
    bins = reliability(np.array([0.55, 0.6, 0.95]), np.array([True, False, True]))
    figure = calibration_figure(bins)
    upper, lower = figure.axes
    dots = next(line for line in upper.get_lines() if line.get_marker() == "o")
    assert np.allclose(numbers(dots.get_xdata()), [0.575, 0.95])
    assert numbers(dots.get_ydata()) == [0.5, 1.0]
    bars = [line for line in upper.get_lines() if len(numbers(line.get_xdata())) == 2 and line.get_marker() == "None"]
    assert [numbers(line.get_ydata()) for line in bars[1:]] == [list(bins[5].interval), list(bins[9].interval)]
    assert sum(bar.get_height() for bar in lower.containers[0]) == 3
    assert_is_drawn_whole(figure)


def test_no_prediction_at_all_is_drawn():
    assert_is_drawn_whole(calibration_figure(reliability(np.zeros(0), np.zeros(0, bool))))
