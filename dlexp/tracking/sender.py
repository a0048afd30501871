"""Sends one run folder to MLflow: from where it stopped last, in batches, and with the same result however often.

A sweep or cv brings its trials or folds along, as nested runs. Each request takes 4 to 9 ms of CPU in SQLAlchemy's
objects, so a trial takes as few as it can, and what this process gave MLflow is not asked for again.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlexp.config.relevance import tells_runs_apart
from dlexp.config.source.environment import redact
from dlexp.error import EnvironmentFault
from dlexp.run.environment import to_milliseconds
from dlexp.run.folder import MANIFEST, METRICS, RunFolder
from dlexp.run.scan import close
from dlexp.tracking import content, note, register, view
from dlexp.tracking.database import write_points
from dlexp.tracking.request.batch import log_batch
from dlexp.tracking.request.file import log_files
from dlexp.tracking.request.given import Given
from dlexp.tracking.sent import Sent
from dlexp.tracking.store import STORE, Store, choose, connect, experiment_id, explain

if TYPE_CHECKING:
    from mlflow import MlflowClient

_LEAVES = ("trial", "fold")


class Sender:
    """Sends one run folder.

    Args:
        folder: The run's folder.
        clients: Connections by URI, to be shared by the senders of a process.
        parent: What sends the sweep or cv that the run belongs to; None looks for it.
        other: A store besides the one that the run is meant for; None sends to that one.
        timeout: Longest time in seconds that the store may take to answer; None takes the run's `tracking.timeout`.
    """

    def __init__(
        self,
        folder: RunFolder,
        clients: "dict[str, MlflowClient]",
        parent: "Sender | None" = None,
        other: str | None = None,
        timeout: float | None = None,
    ) -> None:
        self.folder, self.clients, self.parent, self.other = folder, clients, parent, other
        self.settings: dict[str, Any] = parent.settings if parent else _settings(folder)
        self.timeout: float | None = self.settings.get("timeout") if timeout is None else timeout
        self.sent = Sent.read(folder, other)
        self._there: dict[str, str] | None = None
        self._whole: dict[Path, int] = {}
        self._begun: dict[Path, Sender] = {}
        self._given: Given | None = None

    def push(self) -> bool:
        """Send what MLflow lacks; when the run has ended, end it there too.

        Returns:
            Whether MLflow has everything and nothing more will come.

        Raises:
            EnvironmentFault: The server does not answer.
            Exception: Anything that mlflow raises; what was sent before is recorded.
        """
        manifest = content.facts(self.folder)
        is_over = manifest["status"] != "running"
        store = self._store()
        client = self._client(store)
        is_made = self._ensure_run(client, store, manifest)
        run_id = self.sent.mlflow_run_id
        assert run_id is not None
        if manifest.get("kind") not in _LEAVES:
            self._push_children(is_over=is_over)
        history = self.folder.history()
        chosen = content.monitor(manifest, history)
        until = content.last_safe_epoch(self.folder, manifest, history)
        points = list(content.points(history, chosen, self.sent.epoch, until))
        if is_over:
            points += content.final_points(self.folder, manifest, history)
        params = self._lacking(client, run_id, manifest) if is_made or is_over else {}
        tags = {} if is_made and manifest.get("kind") in _LEAVES else self._changed(manifest) if is_over else {}
        if store.database is not None and points:
            points = [] if write_points(store.database, run_id, points, store.timeout) else points
        self._log(client, run_id, points, params, tags)
        self.sent.epoch = max(self.sent.epoch, until)
        self.sent.summary, self.sent.ascending = chosen.summary, not chosen.higher_is_better
        self.sent.problem = None
        if self.folder.parent is None and (is_made or is_over):
            self._set_view(client, manifest, chosen)
        if is_over:
            self._end(client, run_id, manifest)
            self.sent.status = manifest["status"]
        self._record()
        return is_over

    def _store(self) -> Store:
        """Return the store that the run was meant for when it began, whatever the environment says now."""
        holder = self.folder if self.folder.parent is None else self.folder.parent
        if self.other is not None:
            return choose(holder.runs_dir, self.other, timeout=self.timeout)
        manifest = holder.manifest
        intended = self.settings.get("uri") or manifest.get(STORE) or self.sent.uri
        return choose(holder.runs_dir, intended, asks_environment=STORE not in manifest, timeout=self.timeout)

    def _record(self) -> None:
        self.sent.write(self.folder, self.other)

    def explain(self, error: Exception) -> str:
        """Return in one line what the store's error means, and the cure."""
        store = self._store()
        return f"{store.name}: {explain(error, store)}"

    def fail(self, problem: str) -> None:
        """Record why sending failed."""
        self.sent.problem = redact(problem)
        self._record()

    def _push_children(self, *, is_over: bool) -> None:
        """Send the trials or folds before their parent can end, so that an ended parent is a complete one.

        One that has not begun is no run yet; one that MLflow has whole is left alone until its manifest changes.
        """
        for child in self.folder.children():
            has_begun, written = (child.path / METRICS).exists(), (child.path / MANIFEST).stat().st_mtime_ns
            if self._whole.get(child.path) == written or not (has_begun or is_over):
                continue
            if is_over and has_begun:
                close(child)  # one whose process was killed would be RUNNING in MLflow for ever
            status = child.manifest["status"]
            if not has_begun and status == "running":
                continue
            sender = self._begun.pop(child.path, None) or Sender(child, self.clients, self, self.other)
            if sender.sent.status == status or sender.push():
                self._whole[child.path] = written
            else:
                self._begun[child.path] = sender

    def _client(self, store: Store) -> "MlflowClient":
        if store.uri not in self.clients:
            self.clients[store.uri] = connect(store)
        return self.clients[store.uri]

    def _ensure_run(self, client: "MlflowClient", store: Store, manifest: dict[str, Any]) -> bool:
        """Have a run in MLflow, RUNNING again if it had ended; return whether it was made now."""
        uri = store.address
        if self._given is not None and self.parent is not None:
            return False  # made a moment ago; whether a user deleted it is asked of the sweep or cv
        if self.sent.mlflow_run_id is None or self.sent.uri != uri or not self._is_alive(client):
            self._given = None
            self.sent = Sent(uri=uri, experiment_id=self._experiment_id(client, store, manifest))
            existing = self._find_run(client)
            self.sent.mlflow_run_id = existing or self._create_run(client, manifest)
            self._record()
            return existing is None
        if self.sent.status is not None and manifest["status"] == "running":
            client.update_run(self.sent.mlflow_run_id, status="RUNNING")
            self._log(client, self.sent.mlflow_run_id, [], {}, self._changed(manifest))
            self.sent.status = None
            self._record()
        return False

    def _experiment_id(self, client: "MlflowClient", store: Store, manifest: dict[str, Any]) -> str | None:
        return self.parent.sent.experiment_id if self.parent else experiment_id(client, store, manifest["experiment"])

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
        if self.parent is not None:
            return self.parent.children_there(client).get(self.folder.run_id)
        wanted = f"tags.`{content.RUN_ID_TAG}` = '{self.folder.run_id}'"
        runs = client.search_runs([str(self.sent.experiment_id)], wanted, max_results=1)
        return runs[0].info.run_id if runs else None

    def children_there(self, client: "MlflowClient") -> dict[str, str]:
        """Return MLflow's ids of the trials or folds by ours, as they were at first: later ones were made here."""
        if self._there is None:
            self._there, token = {}, None
            wanted = f"tags.`mlflow.parentRunId` = '{self.sent.mlflow_run_id}'"
            while token != "":
                page = client.search_runs([str(self.sent.experiment_id)], wanted, max_results=1000, page_token=token)
                self._there |= {run.data.tags[content.RUN_ID_TAG]: run.info.run_id for run in page}
                token = page.token or ""
        return self._there

    def _create_run(self, client: "MlflowClient", manifest: dict[str, Any]) -> str:
        tags = self._tags(manifest)
        run = client.create_run(
            str(self.sent.experiment_id),
            start_time=to_milliseconds(manifest["start"]),
            tags=tags,
            run_name=content.run_name(self.folder, manifest),
        )
        self._given = Given(tags, str(run.info.artifact_uri))
        return run.info.run_id

    def _lacking(self, client: "MlflowClient", run_id: str, manifest: dict[str, Any]) -> dict[str, str]:
        """Return the params that the run lacks: MLflow refuses to change one."""
        known = client.get_run(run_id).data.params if self._given is None else self._given.params
        return {name: value for name, value in content.params(manifest).items() if name not in known}

    def _changed(self, manifest: dict[str, Any]) -> dict[str, str]:
        """Return the tags that the run lacks, or may."""
        known = {} if self._given is None else self._given.tags
        return {name: value for name, value in self._tags(manifest).items() if known.get(name) != value}

    def _log(
        self,
        client: "MlflowClient",
        run_id: str,
        points: list[content.Point],
        params: dict[str, str],
        tags: dict[str, str],
    ) -> None:
        log_batch(client, run_id, points, params, tags)
        if self._given is not None:
            self._given.add(params, tags)

    def _tags(self, manifest: dict[str, Any]) -> dict[str, str]:
        said = note.describe(self.folder, manifest, self._links(manifest))
        if self.parent is not None:
            return content.tags(self.folder, manifest, self.parent.sent.mlflow_run_id, said)
        parent = self.folder.parent
        above = None if parent is None else Sent.read(parent, self.other).mlflow_run_id
        return content.tags(self.folder, manifest, above, said)

    def _links(self, manifest: dict[str, Any]) -> dict[str, str]:
        """Return the addresses, within MLflow's page, of the runs inside this one that it has, by their ids."""
        if manifest.get("kind") in _LEAVES or manifest["status"] == "running":
            return {}
        ids = {child.run_id: Sent.read(child, self.other).mlflow_run_id for child in self.folder.children()}
        place = f"#/experiments/{self.sent.experiment_id}/runs"
        return {run_id: f"{place}/{there}" for run_id, there in ids.items() if there is not None}

    def _end(self, client: "MlflowClient", run_id: str, manifest: dict[str, Any]) -> None:
        """Send what is known only at the end, then end the run: an ended run is a complete one."""
        self._log_dataset(client, run_id, manifest)
        place, weights = None if self._given is None else self._given.place, bool(self.settings.get("weights"))
        log_files(client, run_id, content.artifacts(self.folder, weights=weights), content.signature(manifest), place)
        if self.parent is None:
            register.register(client, self.folder, run_id, self.settings, self.other)
        end = to_milliseconds(manifest["end"] or manifest["start"])
        client.set_terminated(run_id, content.MLFLOW_STATUS[manifest["status"]], end)

    def _set_view(self, client: "MlflowClient", manifest: dict[str, Any], chosen: content.Monitor) -> None:
        """Have MLflow's page open with this run's metric and settings as columns."""
        changed = [name for name in content.params(manifest) if "." in name and tells_runs_apart(name)]
        kind = str(manifest.get("kind"))
        state = view.shared_view(
            chosen.summary, chosen.metric, changed, ascending=not chosen.higher_is_better, kind=kind
        )
        client.set_experiment_tag(str(self.sent.experiment_id), view.TAG, state)
        self.sent.has_view = True

    def _log_dataset(self, client: "MlflowClient", run_id: str, manifest: dict[str, Any]) -> None:
        from mlflow.entities import Dataset, DatasetInput, InputTag

        described = content.dataset(manifest)
        if described is not None:
            client.log_inputs(
                run_id, [DatasetInput(Dataset(**described), [InputTag("mlflow.data.context", "training")])]
            )


def _settings(folder: RunFolder) -> dict[str, Any]:
    """Return the tracking settings of a run, or of the sweep or cv that it belongs to."""
    parent = folder.parent
    return _settings(parent) if parent is not None else folder.config.get("tracking") or {}
