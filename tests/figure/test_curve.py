"""Learning curves: what stands in them."""

import math

import pytest
from matplotlib.figure import Figure

from dlexp.figure.curve import curves_figure
from dlexp.figure.style.color import SPLITS
from tests.figure.drawn import assert_is_drawn_whole, corners, numbers
from tests.present import present


def history(epochs: int = 3, lr: float | None = 0.1, more: dict[str, list[float]] | None = None):
    return [
        {
            "epoch": e,
            "lr": lr or 0.1 / e,
            "train/loss": 1 / e,
            "val/loss": 1.1 / e,
            "val/accuracy": 1 - 1 / e,
            **{key: values[e - 1] for key, values in (more or {}).items()},
        }
        for e in range(1, epochs + 1)
    ]


def lines(figure: Figure, place: int) -> dict[str, list[float]]:
    return {str(line.get_label()): numbers(line.get_ydata()) for line in figure.axes[place].get_lines()}


def test_every_metric_by_epoch_in_the_colour_of_its_split():
    figure = curves_figure(history())
    loss, accuracy = figure.axes
    assert [axis.get_title() for axis in figure.axes] == ["loss", "accuracy"]
    assert lines(figure, 0) == {"train": [1, 1 / 2, 1 / 3], "val": [1.1, 1.1 / 2, 1.1 / 3]}
    assert lines(figure, 1) == {"val": [0, 1 / 2, 1 - 1 / 3]}
    assert [line.get_color() for line in loss.get_lines()] == [SPLITS["train"], SPLITS["val"]]
    assert accuracy.get_lines()[0].get_color() == SPLITS["val"]
    assert (loss.get_xlabel(), loss.get_ylabel()) == ("epoch", "loss")
    assert [text.get_text() for text in present(loss.get_legend()).get_texts()] == ["train", "val"]


def test_a_learning_rate_that_changes_has_a_panel_and_a_constant_one_none():
    figure = curves_figure(history(lr=None))
    assert figure.axes[-1].get_title() == "learning rate"
    assert numbers(figure.axes[-1].get_lines()[0].get_ydata()) == [0.1, 0.05, 0.1 / 3]
    assert "learning rate" not in [axis.get_title() for axis in curves_figure(history()).axes]


@pytest.mark.parametrize(
    ("factor", "scale"),
    [
        (lambda epoch: 0.7**epoch, "log"),
        (lambda epoch: 10.0 ** -(epoch // 7), "log"),
        (lambda epoch: (1 + math.cos(math.pi * (epoch + 0.99) / 20)) / 2, "linear"),
    ],
    ids=["exponential", "step", "cosine"],
)
def test_a_rate_that_falls_by_a_factor_is_logarithmic_and_a_cosine_is_not(factor, scale):
    records = [record | {"lr": 0.1 * factor(epoch)} for epoch, record in enumerate(history(20))]
    axis = curves_figure(records).axes[-1]
    assert (axis.get_title(), axis.get_yscale()) == ("learning rate", scale)


def test_the_best_epoch_is_marked_on_every_panel():
    figure = curves_figure(history(), best_epoch=2, monitor="val/accuracy")
    for axis, value in zip(figure.axes, (0.55, 0.5), strict=True):
        line, star = axis.get_lines()[-2:]
        assert numbers(line.get_xdata()) == [2, 2]
        assert line.get_label() == "best epoch, 2"
        assert (numbers(star.get_xdata()), numbers(star.get_ydata())) == ([2], [value])


def test_the_monitor_has_a_panel_though_it_is_no_main_metric():
    figure = curves_figure(history(more={"val/f1_macro": [0.1, 0.2, 0.3]}), 3, "val/f1_macro")
    assert figure.axes[-1].get_title() == "f1 macro".replace(" ", "_")
    assert lines(figure, -1)["val"] == [0.1, 0.2, 0.3]


def test_a_loss_over_more_than_a_decade_is_logarithmic_and_an_accuracy_never():
    figure = curves_figure(history(20))
    assert [axis.get_yscale() for axis in figure.axes] == ["log", "linear"]
    assert curves_figure(history(3)).axes[0].get_yscale() == "linear"


def test_a_diverged_value_is_an_arrow_and_stretches_nothing():
    records = history(6)
    records[3]["val/loss"], records[4]["train/loss"] = math.nan, 1e30
    axis = curves_figure(records).axes[0]
    assert axis.get_ylim()[1] < 2
    arrows = [line for line in axis.get_lines() if line.get_marker() == "^"]
    assert sorted(place for line in arrows for place in numbers(line.get_xdata())) == [4, 5]


def test_a_band_of_one_standard_error():
    axis = curves_figure(history(more={"val/loss_se": [0.1, 0.2, 0.05]})).axes[0]
    (band,) = axis.collections
    assert {(1, 1.0), (1, 1.2), (2, 0.35), (2, 0.75), (3, round(1.1 / 3 - 0.05, 6))} <= corners(band)


@pytest.mark.parametrize("epochs", [1, 2, 40, 400])
def test_any_length_is_drawn(epochs):
    assert_is_drawn_whole(curves_figure(history(epochs, lr=None), 1, "val/accuracy"))


def test_nothing_but_diverged_values_is_drawn():
    record = {"epoch": 1, "lr": 0.1, "train/loss": math.inf, "val/loss": math.nan, "val/accuracy": math.nan}
    assert_is_drawn_whole(curves_figure([record], 0, "val/loss"))


def test_epochs_are_whole_numbers_also_where_there_is_one():
    axis = curves_figure(history(1)).axes[0]
    low, high = axis.get_xlim()
    assert [tick for tick in axis.get_xticks() if low <= tick <= high] == [1]
