"""Sends one run folder to MLflow: from where it stopped last, in batches, and with the same result however often.

A sweep or cv brings its trials or folds along, as nested runs.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dlexp.error import EnvironmentFault
from dlexp.tracker import content
from dlexp.tracker.folder import RunFolder
from dlexp.tracker.manifest import to_milliseconds
from dlexp.tracker.scan import close
from dlexp.tracker.sent import Sent
from dlexp.tracker.store import Store, choose, connect, experiment_id

if TYPE_CHECKING:
    from mlflow import MlflowClient

_BATCH = 1000  # metrics of one request, MLflow's limit


class Sender:
    """Sends one run folder.

    Args:
        folder: The run's folder.
        clients: Connections by URI, to be shared by the senders of a process.
    """

    def __init__(self, folder: RunFolder, clients: "dict[str, MlflowClient]") -> None:
        self.folder, self.clients = folder, clients
        self.settings: dict[str, Any] = (folder.parent or folder).config.get("tracking") or {}
        self.sent = Sent.read(folder)

    def push(self) -> bool:
        """Send what MLflow lacks; when the run has ended, end it there too.

        Returns:
            Whether MLflow has everything and nothing more will come.

        Raises:
            EnvironmentFault: The server does not answer.
            Exception: Anything that mlflow raises; what was sent before is recorded.
        """
        manifest = content.facts(self.folder)
        store = choose(self.folder.runs_dir, self.settings.get("uri"), self.sent.uri)
        client = self._client(store)
        run_id = self._ensure_run(client, store, manifest)
        self._push_children(is_over=manifest["status"] != "running")
        history = self.folder.history()
        chosen = content.monitor(manifest, history)
        until = content.last_safe_epoch(self.folder, manifest, history)
        self._log(client, run_id, list(content.points(history, chosen, self.sent.epoch, until)))
        self.sent.epoch = max(self.sent.epoch, until)
        self.sent.summary, self.sent.ascending = chosen.summary, not chosen.higher_is_better
        self.sent.problem = None
        if manifest["status"] != "running":
            self._end(client, run_id, manifest, content.final_points(self.folder, manifest, history))
            self.sent.status = manifest["status"]
        self.sent.write(self.folder)
        return manifest["status"] != "running"

    def fail(self, problem: str) -> None:
        """Record why sending failed."""
        self.sent.problem = problem
        self.sent.write(self.folder)

    def _push_children(self, *, is_over: bool) -> None:
        """Send the trials or folds before their parent can end, so that an ended parent is a complete one."""
        for child in self.folder.children():
            if is_over:
                close(child)  # one whose process was killed would be RUNNING in MLflow for ever
            if Sent.read(child).status != child.manifest["status"]:
                Sender(child, self.clients).push()

    def _client(self, store: Store) -> "MlflowClient":
        if store.uri not in self.clients:
            self.clients[store.uri] = connect(store)
        return self.clients[store.uri]

    def _ensure_run(self, client: "MlflowClient", store: Store, manifest: dict[str, Any]) -> str:
        """Return the id of MLflow's run, which is RUNNING again if it had ended."""
        uri = None if store.is_default else store.uri
        if self.sent.mlflow_run_id is None or self.sent.uri != uri or not self._is_alive(client):
            self.sent = Sent(uri=uri, experiment_id=experiment_id(client, store, manifest["experiment"]))
            self.sent.mlflow_run_id = self._find_run(client) or self._create_run(client, manifest)
            self._log_params(client, self.sent.mlflow_run_id, manifest)
            self.sent.write(self.folder)
        elif self.sent.status is not None and manifest["status"] == "running":
            client.update_run(self.sent.mlflow_run_id, status="RUNNING")
            self._set_tags(client, self.sent.mlflow_run_id, manifest)
            self.sent.status = None
            self.sent.write(self.folder)
        return self.sent.mlflow_run_id

    def _is_alive(self, client: "MlflowClient") -> bool:
        """Say whether the store still has the run.

        Raises:
            EnvironmentFault: A user deleted it there.
        """
        from mlflow.exceptions import MlflowException

        assert self.sent.mlflow_run_id is not None
        try:
            run = client.get_run(self.sent.mlflow_run_id)
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return False
            raise
        if run.info.lifecycle_stage != "active":
            path = self.folder.path / "mlflow.json"
            raise EnvironmentFault(f"the run was deleted in MLflow; restore it there, or remove {path} to send it anew")
        return True

    def _find_run(self, client: "MlflowClient") -> str | None:
        wanted = f"tags.`{content.RUN_ID_TAG}` = '{self.folder.run_id}'"
        found = client.search_runs([str(self.sent.experiment_id)], wanted, max_results=1)
        return found[0].info.run_id if found else None

    def _create_run(self, client: "MlflowClient", manifest: dict[str, Any]) -> str:
        run = client.create_run(
            str(self.sent.experiment_id),
            start_time=to_milliseconds(manifest["start"]),
            tags=content.tags(self.folder, manifest),
            run_name=content.run_name(self.folder, manifest),
        )
        return run.info.run_id

    def _log_params(self, client: "MlflowClient", run_id: str, manifest: dict[str, Any]) -> None:
        """Send the params that the run lacks: MLflow refuses to change one."""
        from mlflow.entities import Param

        known = client.get_run(run_id).data.params
        lacking = [Param(name, value) for name, value in content.params(manifest).items() if name not in known]
        for start in range(0, len(lacking), 100):
            client.log_batch(run_id, params=lacking[start : start + 100])

    def _log(self, client: "MlflowClient", run_id: str, points: Sequence[content.Point]) -> None:
        from mlflow.entities import Metric

        for start in range(0, len(points), _BATCH):
            client.log_batch(run_id, metrics=[Metric(*point) for point in points[start : start + _BATCH]])

    def _set_tags(self, client: "MlflowClient", run_id: str, manifest: dict[str, Any]) -> None:
        from mlflow.entities import RunTag

        client.log_batch(run_id, tags=[RunTag(*tag) for tag in content.tags(self.folder, manifest).items()])

    def _end(
        self, client: "MlflowClient", run_id: str, manifest: dict[str, Any], points: Sequence[content.Point]
    ) -> None:
        """Send what is known only at the end, then end the run: an ended run is a complete one."""
        self._log_params(client, run_id, manifest)
        self._log(client, run_id, points)
        self._log_dataset(client, run_id, manifest)
        for path, place in content.artifacts(self.folder, weights=bool(self.settings.get("weights"))):
            if path.exists():
                client.log_artifact(run_id, str(path), place)
        signature = content.signature(manifest)
        if signature is not None:
            client.log_dict(run_id, signature, "signature.json")
        self._set_tags(client, run_id, manifest)
        end = to_milliseconds(manifest["end"] or manifest["start"])
        client.set_terminated(run_id, content.MLFLOW_STATUS[manifest["status"]], end)

    def _log_dataset(self, client: "MlflowClient", run_id: str, manifest: dict[str, Any]) -> None:
        from mlflow.entities import Dataset, DatasetInput, InputTag

        described = content.dataset(manifest)
        if described is not None:
            client.log_inputs(
                run_id, [DatasetInput(Dataset(**described), [InputTag("mlflow.data.context", "training")])]
            )
