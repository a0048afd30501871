"""Finished trials of other sweeps are found by id; failed, unfinished and damaged ones are not."""

import json

from dlexp.job.sweep import sweep
from dlexp.job.sweep.trial_store import FinishedTrials
from dlexp.run.folder import RunFolder
from tests.present import present


class Deaf:
    def listen(self, event):
        pass

    def close(self):
        pass


def test_only_what_is_whole(tmp_path):
    shared = ["tracking=none", "trainer.threads=1", "model.widths=[8]", "data.limit=100", "trainer.epochs=1"]
    findings = sweep.start(
        [*shared, "optimizer.lr=0.1,0.2,0.3,0.4", f"runs_dir={tmp_path}"],
        None,
        announce=lambda _about: Deaf(),
        has_figures=False,
    )
    whole, failed, running, damaged = [present(record["run_id"]) for record in findings.outcome.result["trials"]]
    first = RunFolder.open(next(tmp_path.glob("*/*")))
    first.child(failed).update_manifest(status="failed", reason="x")
    first.child(running).update_manifest(status="running")
    (first.child(damaged).path / "result.json").write_text(json.dumps({"metrics": {}}))
    second = RunFolder.create(tmp_path, first.path.parent.name, "other", config={}, overrides=[], manifest={})
    elsewhere = FinishedTrials.around(second, "val/accuracy")
    second.unlock()
    assert elsewhere.get(whole) == first.child(whole).path
    assert [elsewhere.get(id_) for id_ in (failed, running, damaged, "unknown")] == [None] * 4
    assert FinishedTrials.around(first, "val/accuracy").get(whole) is None  # its own
