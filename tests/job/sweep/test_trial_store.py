"""A sweep's trials: those of other sweeps are taken over when they are whole, failed ones are tried again."""

import json
import shutil
from pathlib import Path
from typing import Any

from dlexp.job.sweep import sweep
from dlexp.job.sweep.loop import TrialDone
from dlexp.job.sweep.trial_store import FinishedTrials
from dlexp.run.folder import RunFolder
from tests.present import present


class Heard:
    def __init__(self):
        self.trained = []

    def listen(self, event):
        if isinstance(event, TrialDone) and event.is_new:
            self.trained.append(event.result.trial.overrides["optimizer.lr"])

    def close(self):
        pass


def search(runs_dir: Path, *overrides: str) -> tuple[Any, list[float]]:
    """Return the result and the trials that were trained for it."""
    heard = Heard()
    shared = ["tracking=none", "trainer.threads=1", "model.widths=[8]", "data.limit=100"]
    shared += [] if any(text.startswith("trainer.epochs=") for text in overrides) else ["trainer.epochs=1"]
    findings = sweep.start(
        [*shared, f"runs_dir={runs_dir}", *overrides], None, announce=lambda _about: heard, has_figures=False
    )
    return findings.outcome.result, heard.trained


def test_only_what_is_whole(tmp_path):
    result, _ = search(tmp_path, "optimizer.lr=0.1,0.2,0.3,0.4")
    whole, failed, running, damaged = [present(record["run_id"]) for record in result["trials"]]
    first = RunFolder.open(next(tmp_path.glob("*/*")))
    first.child(failed).update_manifest(status="failed", reason="x")
    first.child(running).update_manifest(status="running")
    (first.child(damaged).path / "result.json").write_text(json.dumps({"metrics": {}}))
    second = RunFolder.create(
        tmp_path, first.path.parent.name, "other", config={}, overrides=[], manifest={"kind": "train"}
    )
    elsewhere = FinishedTrials.around(second)
    second.unlock()
    assert elsewhere.get(whole) == first.child(whole).path
    assert [elsewhere.get(id_) for id_ in (failed, running, damaged, "unknown")] == [None] * 4
    assert FinishedTrials.around(first).get(whole) is None  # its own
    first.child(whole).update_manifest(paused_at=1)
    assert elsewhere.get(whole) is None


def test_a_widened_grid_is_whole_by_itself(tmp_path):
    narrow, _ = search(tmp_path, "optimizer.lr=0.1,0.2")
    older = RunFolder.open(Path(narrow["run_dir"]))
    (older.child(narrow["trials"][0]["run_id"]).path / "mlflow.json").write_text("{}")
    wide, trained = search(tmp_path, "optimizer.lr=0.1,0.2,0.3")
    assert trained == [0.3]
    newer = RunFolder.open(Path(wide["run_dir"]))
    assert [child.run_id for child in newer.children()] == sorted(record["run_id"] for record in wide["trials"])
    copied = newer.child(present(wide["trials"][0]["run_id"]))
    assert copied.manifest["sweep"] == newer.run_id
    assert copied.manifest["taken_from"] == older.run_id
    assert present(copied.result)["run_dir"] == str(copied.path)
    assert not (copied.path / "mlflow.json").exists()  # so that it is sent with this sweep
    shutil.rmtree(older.path)
    again, trained = search(tmp_path, "optimizer.lr=0.1,0.2,0.3")
    assert trained == []
    assert again["trials"] == wide["trials"]
    assert all(Path(record["run_dir"]).is_relative_to(newer.path) for record in wide["trials"])


def test_a_copy_that_was_cut_short_is_made_again(tmp_path):
    search(tmp_path, "optimizer.lr=0.1,0.2")
    wide, _ = search(tmp_path, "optimizer.lr=0.1,0.2,0.3")
    copied = RunFolder.open(Path(wide["run_dir"])).child(wide["trials"][0]["run_id"])
    (copied.path / "manifest.json").unlink()
    (copied.path / "result.json").unlink()
    again, trained = search(tmp_path, "optimizer.lr=0.1,0.2,0.3")
    assert trained == []
    assert again["trials"] == wide["trials"]


def test_a_trial_of_another_monitor_is_not_taken_over(tmp_path):
    search(tmp_path, "optimizer.lr=0.1,0.2")
    result, trained = search(tmp_path, "optimizer.lr=0.1,0.2", "search.metric=val/loss")
    assert trained == [0.1, 0.2]
    for record in result["trials"]:
        assert record["value"] == record["metrics"]["val/loss"]


def fail(folder: RunFolder) -> None:
    """Leave a trial as one that failed in its first epoch."""
    for name in ("metrics.jsonl", "result.json"):
        (folder.path / name).unlink()
    shutil.rmtree(folder.checkpoints)
    folder.log("failed: RuntimeError: out of luck")
    folder.update_manifest(status="failed", reason="RuntimeError: out of luck", sealed=None)


def test_what_failed_is_tried_again_unless_the_user_says_no(tmp_path):
    whole, _ = search(tmp_path, "optimizer.lr=0.1,0.2")
    folder = RunFolder.open(Path(whole["trials"][1]["run_dir"]))
    fail(folder)
    result, trained = search(tmp_path, "optimizer.lr=0.1,0.2", "search.retry_failed=false")
    assert trained == []
    assert result["run_id"] == whole["run_id"]  # whether failed ones are tried again makes no other sweep
    assert result["trials"][1]["status"] == "failed"
    assert result["trials"][1]["error"] == "RuntimeError: out of luck"
    result, trained = search(tmp_path, "optimizer.lr=0.1,0.2")
    assert trained == [0.2]
    assert result["trials"][1]["metrics"] == whole["trials"][1]["metrics"]
    assert "failed: RuntimeError: out of luck" in (folder.path / "log.txt").read_text()
    assert search(tmp_path, "optimizer.lr=0.1,0.2")[1] == []


def test_what_diverged_would_diverge_again(tmp_path):
    result, _ = search(tmp_path, "optimizer.lr=0.1,1e30", "norm=none", "trainer.epochs=2")
    assert [record["status"] for record in result["trials"]] == ["finished", "diverged"]
    assert search(tmp_path, "optimizer.lr=0.1,1e30", "norm=none", "trainer.epochs=2")[1] == []


def test_a_folder_is_made_when_its_trial_begins(tmp_path):
    given = ("optimizer.lr=interval(0.1,0.2)", "search=random", "search.trials=1000", "search.max_seconds=0.5")
    result, trained = search(tmp_path, *given, "trainer.fuse=off")
    folders = list((Path(result["run_dir"]) / "trials").iterdir())
    assert len(folders) == len(result["trials"]) == len(trained) < 1000
