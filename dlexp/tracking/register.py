"""Versions of registered models: the best weights of a run, or of a sweep's winner, under the name asked for."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlexp.run.folder import CONFIG, RunFolder
from dlexp.run.status import Status
from dlexp.tracking.sent import Sent

if TYPE_CHECKING:
    from mlflow import MlflowClient

MODEL = "model"  # the artifact folder of the weights and of the configuration that they need


def register(
    client: "MlflowClient", folder: RunFolder, run_id: str, settings: dict[str, Any], other: str | None
) -> None:
    """Make a run's model a version of the registered one, once however often it is sent; folds have no one model.

    Args:
        client: Of the store.
        folder: A run that has ended, or a sweep.
        run_id: MLflow's id of it.
        settings: The node `tracking` of its configuration.
        other: See `Sent.read`.
    """
    name, manifest = settings.get("register"), folder.manifest
    if not name or not Status(manifest["status"]).has_value:
        return
    holder, there = (folder, run_id) if manifest["kind"] == "train" else _winner(folder, other)
    if holder is None or there is None:
        return
    if any(version.name == name for version in client.search_model_versions(f"run_id = '{there}'")):
        return
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    for file in (holder.checkpoints / "best" / "weights.safetensors", holder.path / CONFIG):
        client.log_artifact(there, str(file), MODEL)
    source = f"{client.get_run(there).info.artifact_uri}/{MODEL}"
    client.create_model_version(name, source, there, description=f"run {holder.run_id}")


def _winner(sweep: RunFolder, other: str | None) -> tuple[RunFolder | None, str | None]:
    """Return the first trial of a sweep's best setting and MLflow's id of it; nothing where there is none."""
    result = sweep.result or {}
    best = result.get("best")
    if sweep.manifest["kind"] != "sweep" or best is None:
        return None, None
    path = Path(next(trial["run_dir"] for trial in result["trials"] if trial["number"] == best["number"]))
    holder = RunFolder.open(path) if path.exists() else sweep.child(path.name.partition("-")[0])
    return holder, Sent.read(holder, other).mlflow_run_id
