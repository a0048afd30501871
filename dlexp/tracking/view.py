"""The first view of an experiment in MLflow's page: runs sorted by their metric, with the columns that tell them apart.

The page reads a shared view from a tag of the experiment, named by the address: plain JSON of sort and columns.
"""

import json

KEY = "dlexp"  # `viewStateShareKey` of the address
TAG = f"mlflow.sharedViewState.{KEY}"
_MOST = 8  # columns of settings


def shared_view(summary: str, metric: str, params: list[str], *, ascending: bool) -> str:
    """Return the tag's value.

    Args:
        summary: The metric that runs are sorted by, such as ``best/val_accuracy``.
        metric: The metric of each epoch that it summarises.
        params: Names of the settings that were changed or searched, as MLflow has them.
        ascending: Whether lower values of the metric are better.
    """
    loss = f"{metric.partition('/')[0]}/loss"
    metrics = dict.fromkeys([summary, metric, loss])
    columns = [f"metrics.`{name}`" for name in metrics] + [f"params.`{name}`" for name in params[:_MOST]]
    return json.dumps(
        {
            "searchFilter": "",
            "orderByKey": f"metrics.`{summary}`",
            "orderByAsc": ascending,
            "lifecycleFilter": "Active",
            "selectedColumns": [*columns, "attributes.`Duration`"],
        }
    )
