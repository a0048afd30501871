"""The figures of a cross-validation: what stands in them."""

import pytest
from matplotlib.patches import Rectangle

from dlexp.report.cv import draw, fold_figure, settings_figure
from tests.present import present
from tests.report.drawn import numbers


@pytest.mark.parametrize(("k", "repeats"), [(3, 2), (60, 1)])
def test_folds_of_every_repeat_their_mean_and_interval(k, repeats):
    folds = [{"repeat": r, "fold": f, "metrics": {"m": 0.1 * f + r}} for r in range(repeats) for f in range(k)]
    result = {"k": k, "repeats": repeats, "folds": folds, "mean": {"m": 0.1}, "interval": {"m": [0.0, 0.2]}}
    (axis,) = fold_figure(result, "m").axes
    *points, mean = axis.get_lines()
    assert [numbers(line.get_xdata()) for line in points] == [list(range(1, k + 1))] * repeats
    assert [numbers(line.get_ydata()) for line in points] == [[0.1 * f + r for f in range(k)] for r in range(repeats)]
    assert numbers(mean.get_ydata()) == [0.1, 0.1]
    band = axis.patches[0]
    assert isinstance(band, Rectangle)
    assert (band.get_y(), band.get_height()) == (0.0, 0.2)
    assert (axis.get_title(), axis.get_xlabel(), axis.get_ylabel()) == ("m by fold", "fold", "m")
    assert len(axis.get_xticks()) <= 20
    labels = [text.get_text() for text in present(axis.get_legend()).get_texts()]
    assert labels == [*(f"repeat {r + 1}" for r in range(repeats)), "mean", "95 % interval (optimistic)"]


def test_it_is_written_as_a_picture(tmp_path):
    folds = [{"repeat": 0, "fold": 0, "metrics": {}}]
    path = draw({"k": 1, "repeats": 1, "folds": folds, "mean": {}, "interval": {}}, "m", tmp_path / "f.png")
    assert path.read_bytes().startswith(b"\x89PNG")


def test_settings_against_the_best():
    settings = [
        {
            "overrides": {"optimizer.lr": 0.1 * i},
            "value": 0.9 - 0.1 * i if i < 3 else None,
            "interval_corrected": {"m": [0.7, None if i == 1 else 1.0]},
            "against_best": [None, "cannot tell", "worse", None][i],
        }
        for i in range(4)
    ]
    (axis,) = settings_figure({"metric": "m", "settings": settings}).axes
    points = axis.get_lines()[1::2]
    firsts = [(numbers(line.get_xdata())[0], numbers(line.get_ydata())[0]) for line in points]
    assert firsts == [(0.9 - 0.1 * i, i) for i in range(3)]
    assert [line.get_color() for line in points] == ["black", "tab:gray", "tab:red"]
    assert numbers(axis.get_lines()[0].get_xdata()) == [0.7, 1.0]
    assert [tick.get_text() for tick in axis.get_yticklabels()] == ["lr=0.0", "lr=0.1", "lr=0.2"]
    assert axis.get_ylim()[0] > axis.get_ylim()[1]  # the best on top
