from dlexp.figure.cost.tradeoff import tradeoff_figure
from tests.figure.drawn import assert_is_drawn_whole, numbers


def test_scores_stand_over_costs_on_a_logarithmic_axis_coloured_by_rank():
    figure = tradeoff_figure([100, 10, 1000], [0.9, 0.8, 0.7], "parameters", "val/accuracy")
    (axis,) = figure.axes
    (marks,) = [item for item in axis.collections if item.get_gid() == "runs"]
    assert numbers(marks.get_offsets()) == [[100, 0.9], [10, 0.8], [1000, 0.7]]
    colors = marks.get_array()
    assert colors is not None
    assert numbers(colors) == [0, 1, 2]
    assert axis.get_xscale() == "log"
    star = next(line for line in axis.get_lines() if line.get_marker() == "*")
    assert (numbers(star.get_xdata()), numbers(star.get_ydata())) == ([100], [0.9])
    assert_is_drawn_whole(figure)


def test_a_diverged_score_is_an_arrow():
    (axis,) = tradeoff_figure([1, 2, 3], [0.4, 0.5, 1e30], "seconds", "val/loss").axes
    assert axis.get_ylim()[1] < 1
