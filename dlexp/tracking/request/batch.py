"""Metrics, params and tags of a run by as few requests as MLflow allows."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dlexp.tracking.content import Point

if TYPE_CHECKING:
    from mlflow import MlflowClient

_ENTRIES = 1000  # of one request, MLflow's limit
_PARAMS = 100  # params among them, likewise; tags are fewer


def log_batch(
    client: "MlflowClient", run_id: str, points: Sequence[Point], params: dict[str, str], tags: dict[str, str]
) -> None:
    """Send metrics, params and tags; nothing is asked where there is nothing to send.

    Args:
        client: Of the store.
        run_id: MLflow's id of the run.
        points: In the order of their epochs.
        params: By name; none that the run has.
        tags: By name.
    """
    from mlflow.entities import Metric, Param, RunTag

    left, labels = list(params.items()), [RunTag(*tag) for tag in tags.items()]
    while points or left or labels:
        batch, left = left[:_PARAMS], left[_PARAMS:]
        room = _ENTRIES - len(batch) - len(labels)
        now, points = points[:room], points[room:]
        client.log_batch(run_id, [Metric(*point) for point in now], [Param(*pair) for pair in batch], labels)
        labels = []
