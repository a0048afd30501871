import json

from dlexp.tracking.view import KEY, TAG, shared_view


def test_the_view_sorts_by_the_metric_and_shows_it_first():
    state = json.loads(shared_view("best/val_rmse", "val/rmse", ["optimizer.lr", *map(str, range(20))], ascending=True))
    assert f"mlflow.sharedViewState.{KEY}" == TAG
    assert (state["orderByKey"], state["orderByAsc"]) == ("metrics.`best/val_rmse`", True)
    assert state["selectedColumns"][:4] == [
        "metrics.`best/val_rmse`",
        "metrics.`val/rmse`",
        "metrics.`val/loss`",
        "params.`optimizer.lr`",
    ]
    assert len(state["selectedColumns"]) == 3 + 8 + 1


def test_a_column_stands_once():
    columns = json.loads(shared_view("best/val_loss", "val/loss", [], ascending=True))["selectedColumns"]
    assert len(columns) == len(set(columns)) == 3
