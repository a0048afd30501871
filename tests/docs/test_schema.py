"""The JSON Schema files are those of the code, and real documents keep to them."""

import json
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from dlexp.config.options import describe_options
from dlexp.config.resolve import resolve
from docs import schema
from tests.job.compare import compared

QUICK = ["tracking=none", "trainer.threads=1", "trainer.epochs=1", "data=iris", "trainer.fuse=off"]


class Deaf:
    def listen(self, event: Any) -> None:
        pass

    def close(self) -> None:
        pass


def closed(node: Any) -> Any:
    """Return a schema in which an object has no other fields than those stated, so that none goes unstated."""
    if isinstance(node, list):
        return [closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    inner = {key: closed(value) for key, value in node.items()}
    return inner | {"additionalProperties": False} if "properties" in node and node.get("type") == "object" else inner


def faults(name: str, document: Any) -> list[str]:
    """Return what a document, as JSON has it, does against its schema."""
    from dlexp.run.jsonable import plain

    validator = Draft202012Validator(closed(schema.schema(name)))
    return [
        f"{error.json_path}: {error.message}"
        for error in validator.iter_errors(json.loads(json.dumps(plain(document))))
    ]


def open_faults(name: str, document: Any) -> list[str]:
    """Return what a document does against its schema; a run's record has the fields of its result too."""
    return [error.message for error in Draft202012Validator(schema.schema(name)).iter_errors(document)]


@pytest.mark.parametrize("name", schema.DOCUMENTS)
def test_the_file_is_the_generated_one(name):
    Draft202012Validator.check_schema(schema.schema(name))
    assert (schema.FOLDER / f"{name}.json").read_text(encoding="utf-8") == schema.text(name)


def test_there_is_no_other_file():
    assert {path.stem for path in schema.FOLDER.iterdir()} == set(schema.DOCUMENTS)


def test_a_fault_is_named():
    assert faults("error", {"error": {"kind": "config"}}) == ["$.error: 'message' is a required property"]
    assert faults("error", {"error": {"kind": "config", "message": "m", "more": 1}})


def test_documents_without_a_run():
    from dlexp.build.inspection import inspect
    from dlexp.build.summary import summary

    for source in ("iris", "diabetes", "digits"):
        assert faults("data", inspect(resolve([f"data={source}"]))) == []
    assert faults("options", describe_options()) == []
    assert faults("error", {"error": {"kind": "config", "message": "m"}}) == []
    overrides = ["data=fake", "data.shape=[3,96,96]", "model=inception"]
    assert faults("summary", summary(resolve(overrides))) == []


def test_documents_of_the_machine_and_of_tracking(tmp_path):
    from dlexp.doctor import examine
    from dlexp.tracking.dashboard import Dashboard
    from dlexp.tracking.sync import sync
    from tests.run.fake_run import FakeRun

    assert faults("doctor", examine(tmp_path / "none")) == []
    assert faults("ui", Dashboard("http://127.0.0.1:5000/#/", None).document) == []
    run = FakeRun(tmp_path, uri="http://127.0.0.1:9")
    run.end()
    run.folder.unlock()
    (sent,) = sync(tmp_path, ["last"])
    assert faults("sync", [sent]) == []
    assert not sent["sent"]


def test_documents_of_a_run(tmp_path):
    from dlexp.job.inference import evaluate, predict
    from dlexp.job.train import dry_run, train, verify
    from dlexp.run.listing import note, trash
    from dlexp.run.listing.page import page
    from dlexp.run.listing.ranking import rank, records_of
    from dlexp.run.scan import find

    composed = resolve([*QUICK, f"runs_dir={tmp_path}"])
    assert faults("train-dry-run", dry_run.plan(composed)) == []
    result = train.start(composed, announce=lambda _about: lambda _event: None).result
    assert faults("train", result) == []
    rows = tmp_path / "rows.npy"
    np.save(rows, np.array([[5.1, 3.5, 1.4, 0.2]]))
    assert faults("predict", predict.predict("last", tmp_path, [rows])) == []
    assert faults("eval", evaluate.evaluate("last", tmp_path, "test")) == []
    assert faults("verify", verify.verify("last", tmp_path)) == []
    records = records_of(rank(tmp_path))
    assert len(records) == 1
    assert open_faults("runs", records) == []
    folder = find(tmp_path, "last")
    assert open_faults("show", page(folder)) == []
    noted = note.write(folder.path, note="odd", add=["bad"], remove=[])
    assert faults("note", {"run_id": folder.run_id, **noted}) == []
    assert faults("rm", trash.remove(tmp_path, ["last"])) == []


def test_documents_of_a_sweep_and_a_comparison(tmp_path):
    from dlexp.job.compare.comparison import compare
    from dlexp.job.sweep import dry_run, sweep

    overrides = [*QUICK, f"runs_dir={tmp_path}", "optimizer.lr=0.01,0.1"]
    assert faults("sweep-dry-run", dry_run.forecast(overrides)) == []
    sweep_run = sweep.start(overrides, None, announce=lambda _about: Deaf(), has_figures=False)
    assert faults("sweep", sweep_run.outcome.result) == []
    run_id = sweep_run.outcome.result["run_id"]
    assert faults("compare", compare([f"{run_id}:1", f"{run_id}:2"], tmp_path)) == []


def test_documents_of_cvs(tmp_path):
    from dlexp.job.cv import audit, cv, dry_run

    overrides = [*QUICK, f"runs_dir={tmp_path}", "cv.k=2"]
    assert faults("cv-dry-run", dry_run.forecast(overrides)) == []
    assert faults("audit", audit.audit(overrides)) == []
    for name, more in (("cv", []), ("cv-settings", ["optimizer.lr=0.01,0.1"])):
        done = cv.start([*overrides, *more], announce=lambda _about: lambda _event: None, has_figures=False)
        assert faults(name, done.result) == []


@pytest.mark.parametrize(
    "more",
    [
        ["cv=leave_one_out", "data.limit=12"],
        ["cv=nested", "cv.k=2", "cv.inner_k=2", "optimizer.lr=0.01,0.1"],
        ["cv.k=2", "seed=0,1"],
    ],
    ids=["leave one out", "nested", "seeds"],
)
def test_documents_of_other_cvs(tmp_path, more):
    from dlexp.job.cv import cv

    overrides = [*QUICK, "model=softmax", "trainer.batch_size=8", f"runs_dir={tmp_path}", *more]
    done = cv.start(overrides, announce=lambda _about: lambda _event: None, has_figures=False)
    assert faults("cv", done.result) == []


def test_documents_of_comparisons(tmp_path):
    from dlexp.job.compare.comparison import compare

    cvs = [compared.write_cv(tmp_path / "cv", seed, share).run_id for seed, share in ((10, 0.95), (20, 0.7))]
    assert faults("compare", compare(cvs, tmp_path / "cv")) == []
    targets = np.arange(60) % 3
    runs = [
        compared.write_run(
            tmp_path / "runs",
            compared.logits(10 * number + seed, targets, share),
            targets,
            seed=seed,
            settings={"model": number},
        ).run_id
        for number, share in enumerate((0.95, 0.7))
        for seed in range(3)
    ]
    assert faults("compare", compare(runs, tmp_path / "runs")) == []
    assert faults("compare", compare(runs[:2], tmp_path / "runs", "log_loss")) == []
