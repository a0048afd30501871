import math

from dlexp.figure.cost.progress import best_so_far, progress_figure
from tests.figure.drawn import assert_is_drawn_whole, numbers


def test_the_best_never_falls_and_waits_for_the_first_value():
    values = [None, 0.5, 0.4, math.nan, 0.7, None]
    assert best_so_far(values, is_high_better=True) == [None, 0.5, 0.5, 0.5, 0.7, 0.7]
    assert best_so_far(values, is_high_better=False) == [None, 0.5, 0.4, 0.4, 0.4, 0.4]


def test_it_is_shown_over_trials_and_over_seconds_and_failures_are_crosses():
    figure = progress_figure([0.5, None, 0.7], [1.0, 2.0, 3.0], "val/accuracy", is_high_better=True)
    trials, seconds = figure.axes
    steps = [next(line for line in axis.get_lines() if line.get_label() == "best so far") for axis in figure.axes]
    assert [numbers(line.get_xdata()) for line in steps] == [[1, 2, 3], [1, 3, 6]]
    assert numbers(steps[0].get_ydata()) == [0.5, 0.5, 0.7]
    failed = next(line for line in seconds.get_lines() if line.get_label() == "failed")
    assert numbers(failed.get_xdata()) == [3]
    assert trials.get_xlabel() == "trials"
    assert_is_drawn_whole(figure)


def test_a_diverged_trial_stretches_nothing():
    figure = progress_figure([0.5, 1e30, 0.4], [1, 1, 1], "val/loss", is_high_better=False)
    assert all(axis.get_ylim()[1] < 1 for axis in figure.axes)
