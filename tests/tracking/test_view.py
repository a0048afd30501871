import json

import pytest

from dlexp.tracking.view import KEY, NO_FOLDS, TAG, shared_view


def test_the_view_sorts_by_the_metric_and_shows_it_first():
    state = json.loads(
        shared_view("best/val_rmse", "val/rmse", ["optimizer.lr", *map(str, range(20))], ascending=True, kind="train")
    )
    assert f"mlflow.sharedViewState.{KEY}" == TAG
    assert (state["orderByKey"], state["orderByAsc"]) == ("metrics.`best/val_rmse`", True)
    assert state["selectedColumns"][:4] == [
        "metrics.`best/val_rmse`",
        "metrics.`val/rmse`",
        "metrics.`val/loss`",
        "params.`optimizer.lr`",
    ]
    assert len(state["selectedColumns"]) == 3 + 8 + 1


@pytest.mark.parametrize("kind", ["train", "sweep", "cv"])
def test_folds_stand_on_the_page_of_their_cv(kind):
    state = json.loads(shared_view("best/val_loss", "val/loss", [], ascending=True, kind=kind))
    assert state["searchFilter"] == NO_FOLDS


def test_a_column_stands_once():
    columns = json.loads(shared_view("best/val_loss", "val/loss", [], ascending=True, kind="train"))["selectedColumns"]
    assert len(columns) == len(set(columns)) == 3


@pytest.mark.parametrize(
    ("kind", "column", "last"),
    [
        ("train", None, ("LINE", "metricKey", "lr")),
        ("sweep", "metrics.`val/accuracy`", ("PARALLEL", "selectedMetrics", ["best/val_accuracy"])),
        ("cv", "metrics.`cv/val_accuracy_std`", ("LINE", "metricKey", "lr")),
    ],
)
def test_five_charts_that_matter_stand_in_the_one_open_section(kind, column, last):
    state = json.loads(shared_view("best/val_accuracy", "val/accuracy", ["optimizer.lr"], ascending=False, kind=kind))
    charts, sections = state["compareRunCharts"], state["compareRunSections"]
    (first,) = [section["uuid"] for section in sections if section["display"]]
    assert {chart["metricSectionId"] for chart in charts} == {first}
    assert len({chart["uuid"] for chart in charts}) == 5
    assert [chart.get("metricKey") for chart in charts][:4] == [
        "val/accuracy",
        "best/val_accuracy",
        "val/loss",
        "train/loss",
    ]
    assert (charts[4]["type"], charts[4][last[1]]) == (last[0], last[2])
    assert column is None or state["selectedColumns"][1] == column
