"""`mlflow.json`: what of a run folder MLflow already has, so that sending can stop anywhere and go on."""

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

from dlexp.disk.regular import read_bytes
from dlexp.run.folder import RunFolder
from dlexp.run.jsonable import document

_NAME = "mlflow.json"
_OTHERS = "others"  # what other stores have, by their addresses


@dataclass
class Sent:
    """Progress of sending one run.

    Attributes:
        uri: The store that has it; None for the database in runs_dir, wherever that is moved.
        experiment_id: MLflow's id of the experiment.
        mlflow_run_id: MLflow's id of the run.
        epoch: The last epoch sent.
        summary: Name of the metric that runs are sorted by, such as ``best/val_accuracy``.
        ascending: Whether lower values of it are better.
        status: The manifest's status that MLflow's run was ended with; None while it is running there.
        has_view: Whether the experiment has `dlexp.tracking.view` for the page to open with.
        problem: Why the last attempt failed, in one line; None when it did not.
    """

    uri: str | None = None
    experiment_id: str | None = None
    mlflow_run_id: str | None = None
    epoch: int = 0
    summary: str | None = None
    ascending: bool = False
    status: str | None = None
    problem: str | None = None
    has_view: bool = False

    @classmethod
    def read(cls, folder: RunFolder, other: str | None = None) -> "Sent":
        """Return the progress; that of a fresh start when there is none or it is damaged.

        Args:
            folder: The run's.
            other: A store besides the one that the run was meant for; None means that one.
        """
        content = _content(folder)
        if other is not None:
            content = content.get(_OTHERS, {}).get(other, {})
        try:
            known = {"has_view": False, **content}  # absent from what versions before 0.2 wrote
            return cls(**{field.name: known[field.name] for field in fields(cls)})
        except (KeyError, TypeError):
            return cls()  # the run is found in MLflow again by its tag, and sending twice changes nothing

    def write(self, folder: RunFolder, other: str | None = None) -> None:
        """Record the progress atomically, beside that of other stores."""
        content = _content(folder)
        others = content.get(_OTHERS, {})
        if other is None:
            content = asdict(self)
        else:
            others = {**others, other: asdict(self)}
        folder.write(_NAME, document({**content, **({_OTHERS: others} if others else {})}))

    @staticmethod
    def exists(folder: RunFolder) -> bool:
        """Say whether sending this run was ever begun."""
        return (folder.path / _NAME).exists()


def _content(folder: RunFolder) -> dict[str, Any]:
    try:
        content = json.loads(read_bytes(folder.path / _NAME))
    except (OSError, ValueError):
        return {}
    if not isinstance(content, dict):
        return {}
    others = content.get(_OTHERS)
    is_whole = isinstance(others, dict) and all(isinstance(record, dict) for record in others.values())
    return content if is_whole else {key: value for key, value in content.items() if key != _OTHERS}
