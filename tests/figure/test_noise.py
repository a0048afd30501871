"""The figure of the noise of seeds: what stands in it."""

import math

from dlexp.figure.noise import noise_figure
from tests.figure.drawn import assert_is_drawn_whole, numbers

ACTS = {"name": "data order", "is_absent": False, "num": 3, "values": [0.5, 0.7, 0.7], "mean": 0.63}
ACTS |= {"std": 0.1, "interval": [0.05, 0.6]}
ABSENT = {"source": "augment", "name": "augmentation", "is_absent": True, "why": "augment=none draws nothing"}
NOISE = {"metric": "val/accuracy", "run_id": "x", "value": 0.6, "sources": [ACTS | {"source": "order"}, ABSENT]}
NOISE |= {"all": ACTS | {"source": "all", "name": "all at once"}}


def test_the_sources_that_act_and_all_at_once():
    left, right = noise_figure(NOISE).axes
    values, mean = left.get_lines()[:2]
    assert numbers(values.get_xdata()) == [0.5, 0.7, 0.7]
    assert numbers(values.get_ydata()) == [0, 0, -0.09]  # of equal ones the second stands above the first
    assert numbers(mean.get_xdata()) == [0.63]
    interval, std = right.get_lines()[:2]
    assert (numbers(interval.get_xdata()), numbers(std.get_xdata())) == ([0.05, 0.6], [0.1])
    assert [tick.get_text() for tick in left.get_yticklabels()] == ["data order\n3 seeds", "all at once\n3 seeds"]
    assert left.get_xlabel() == "val/accuracy"
    assert right.get_xlabel() == "standard deviation of val/accuracy"
    assert numbers(left.get_lines()[-1].get_xdata()) == [0.6, 0.6]  # the run itself


def test_a_diverged_seed_stretches_nothing():
    figure = noise_figure(NOISE | {"all": NOISE["all"] | {"values": [0.5, 1e30, math.nan]}})
    assert figure.axes[0].get_xlim()[1] < 1
    assert_is_drawn_whole(figure)


def test_a_long_run_id_and_metric_are_drawn():
    assert_is_drawn_whole(noise_figure(NOISE | {"run_id": "x" * 40, "metric": "val/" + "m" * 40}))
