"""Which figures a sweep gets: none of dimensions without one, pairs from two on, curves of the best that are whole."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from matplotlib.figure import Figure

from dlexp.config.dimension import Dimension
from dlexp.figure import pair, parallel, search
from dlexp.job.sweep.figure import draw_figures
from dlexp.job.sweep.leaderboard import rank
from dlexp.run.folder import RunFolder
from tests.job.sweep.untrained import untrained

LR = Dimension("optimizer.lr", "", low=1e-4, high=1.0, is_log=True)
WIDTH = Dimension("model.width", "", values=[8, 16])


@pytest.fixture
def drawn(monkeypatch):
    """Have each report note what it is given instead of drawing it."""
    calls: dict[str, tuple] = {}
    for module, name in (
        (search, "dimension_figure"),
        (parallel, "parallel_figure"),
        (search, "curve_figure"),
        (pair, "pair_figure"),
    ):

        def draw(*given, name=name, **_how):
            calls[name] = given
            return Figure(figsize=(1, 1))

        monkeypatch.setattr(module, name, draw)
    return calls


@pytest.fixture
def draw(tmp_path):
    def draw(dimensions: list[Dimension], values: list[float | None], importances: dict[str, float]) -> None:
        results = []
        for number, value in enumerate(values):
            settings = {LR.key: 0.1 * (number + 1), WIDTH.key: 8}
            folder = RunFolder.create(tmp_path, "x", f"t{number}", config={}, overrides=[], manifest={"kind": "train"})
            folder.append_epoch({"epoch": 1, "step": 1, "lr": 0.1, "val/accuracy": value or 0.0, "seconds": 0.1})
            folder.unlock()
            status = "failed" if value is None else "finished"
            results.append(untrained(number, value, status=status, folder=folder, **settings))
        space = SimpleNamespace(dimensions=dimensions)
        spec = SimpleNamespace(space=space, metric="val/accuracy", is_high_better=True)
        holder = RunFolder.create(tmp_path, "x", "sweep", config={}, overrides=[], manifest={"kind": "train"})
        holder.unlock()
        draw_figures(cast(Any, spec), holder, rank(results, is_high_better=True), importances)

    return draw


def test_points_are_the_trials_and_a_failed_one_has_no_value(drawn, draw):
    draw([LR], [0.5, None, 0.9], {LR.key: 1.0})
    assert set(drawn) == {"dimension_figure", "curve_figure"}
    points, keys, log_keys, metric = drawn["dimension_figure"]
    assert (keys, log_keys, metric) == ([LR.key], {LR.key}, "val/accuracy")
    values = {round(point.settings[LR.key], 1): point.value for point in points}
    assert values == {0.1: 0.5, 0.2: None, 0.3: 0.9}


def test_pairs_begin_with_the_most_important_dimension(drawn, draw):
    draw([LR, WIDTH], [0.5, 0.9], {LR.key: 0.2, WIDTH.key: 0.8})
    _, keys, log_keys, *_ = drawn["pair_figure"]
    assert keys == [WIDTH.key, LR.key]
    assert log_keys == {LR.key}


def test_parallel_coordinates_begin_with_three_dimensions_and_values_listed_by_a_factor_are_logarithmic(drawn, draw):
    draw([LR, WIDTH], [0.5], {})
    assert "parallel_figure" not in drawn
    depth = Dimension("model.depth", "", values=[4, 8, 16])
    draw([LR, WIDTH, depth], [0.5], {})
    assert drawn["parallel_figure"][2] == {LR.key, depth.key}


def test_curves_are_those_of_the_best_first(drawn, draw):
    draw([], [0.5, None, 0.9, *[0.1] * search.TOP], {})
    assert set(drawn) == {"curve_figure"}
    histories = [history for _, (history,) in drawn["curve_figure"][0]]
    assert len(histories) == search.TOP
    assert [history[0]["val/accuracy"] for history in histories[:3]] == [0.9, 0.5, 0.1]


def test_without_a_value_only_the_dimensions_are_shown(drawn, draw):
    draw([LR], [None, None], {})
    assert set(drawn) == {"dimension_figure"}
