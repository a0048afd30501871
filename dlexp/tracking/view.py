"""The first view of an experiment in MLflow's page: runs sorted by their metric, columns that tell them apart, charts.

The page reads a shared view from a tag of the experiment, named by the address: plain JSON of sort, columns and charts.
"""

import json
from typing import Any

KEY = "dlexp"  # `viewStateShareKey` of the address
TAG = f"mlflow.sharedViewState.{KEY}"
NO_FOLDS = "tags.`dlexp.kind` != 'fold'"  # folds are validated on other examples: the easiest would stand first
_MOST = 8  # columns of settings
_FIRST = "dlexp-first"  # id of the section of charts that is open
_CLOSED = (
    "train",
    "val",
    "test",
    "best",
    "sweep",
    "cv",
    "out_of_fold",
    "Model metrics",
)  # MLflow's, by prefix of names
_BARS = 30  # runs of a bar chart


def shared_view(summary: str, metric: str, params: list[str], *, ascending: bool, kind: str) -> str:
    """Return the tag's value.

    Args:
        summary: The metric that runs are sorted by, such as ``best/val_accuracy``.
        metric: The metric of each epoch that it summarises.
        params: Names of the settings that were changed or searched, as MLflow has them.
        ascending: Whether lower values of the metric are better.
        kind: "train", "sweep" or "cv", of the run that the experiment opens with.
    """
    loss = f"{metric.partition('/')[0]}/loss"
    spread = [f"cv/{metric.replace('/', '_')}_std"] if kind == "cv" else []
    metrics = dict.fromkeys([summary, *spread, metric, loss])
    columns = [f"metrics.`{name}`" for name in metrics] + [f"params.`{name}`" for name in params[:_MOST]]
    return json.dumps(
        {
            "searchFilter": NO_FOLDS,
            "orderByKey": f"metrics.`{summary}`",
            "orderByAsc": ascending,
            "lifecycleFilter": "Active",
            "selectedColumns": [*columns, "attributes.`Duration`"],
            "compareRunCharts": _charts(summary, metric, params, kind),
            "isAccordionReordered": True,  # else sections stand in the order of their names
            "compareRunSections": [
                _section(_FIRST, "what matters", is_open=True),
                *(_section(f"dlexp-{name}", name, is_open=False) for name in _CLOSED),
            ],
        }
    )


def _charts(summary: str, metric: str, params: list[str], kind: str) -> list[dict[str, Any]]:
    """Return five charts: the metric over epochs, losses, the best values, and what the kind of run is about."""
    lines = list(dict.fromkeys([metric, f"{metric.partition('/')[0]}/loss", "train/loss", "lr"]))
    last = _line("lr" if "lr" not in lines[:3] else "train/accuracy")
    if kind == "sweep":
        last = {"type": "PARALLEL", "selectedParams": params[:_MOST], "selectedMetrics": [summary], "showAllRuns": True}
    best = {"type": "BAR", "metricKey": summary, "displayName": summary, "runsCountToCompare": _BARS}
    charts = [_line(lines[0]), best, *map(_line, lines[1:3]), last]
    usual = {"runsCountToCompare": 10, "metricSectionId": _FIRST, "deleted": False, "isGenerated": False}
    return [{**usual, **chart, "uuid": f"{_FIRST}-{place}"} for place, chart in enumerate(charts)]


def _line(metric: str) -> dict[str, Any]:
    return {
        "type": "LINE",
        "metricKey": metric,
        "displayName": metric,
        "selectedMetricKeys": [metric],
        "lineSmoothness": 0,
        "scaleType": "linear",
        "xAxisScaleType": "linear",
        "xAxisKey": "step",
        "selectedXAxisMetricKey": "",
        "yAxisKey": "metric",
        "yAxisExpressions": [],
        "range": {},
        "ignoreOutliers": False,
        "useGlobalXaxisKey": True,
        "useGlobalLineSmoothing": True,
    }


def _section(uuid: str, name: str, *, is_open: bool) -> dict[str, Any]:
    return {"uuid": uuid, "name": name, "display": is_open, "isReordered": True, "deleted": False, "isGenerated": False}
