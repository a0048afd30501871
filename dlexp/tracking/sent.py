"""`mlflow.json`: what of a run folder MLflow already has, so that sending can stop anywhere and go on."""

import json
from dataclasses import asdict, dataclass, fields

from dlexp.run.folder import RunFolder
from dlexp.run.jsonable import document

_NAME = "mlflow.json"


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

    @classmethod
    def read(cls, folder: RunFolder) -> "Sent":
        """Return the progress; that of a fresh start when there is none or it is damaged."""
        try:
            content = json.loads((folder.path / _NAME).read_bytes())
            return cls(**{field.name: content[field.name] for field in fields(cls)})
        except (OSError, ValueError, KeyError, TypeError):
            return cls()  # the run is found in MLflow again by its tag, and sending twice changes nothing

    def write(self, folder: RunFolder) -> None:
        """Record the progress atomically."""
        folder.write(_NAME, document(asdict(self)))

    @staticmethod
    def exists(folder: RunFolder) -> bool:
        """Say whether sending this run was ever begun."""
        return (folder.path / _NAME).exists()
