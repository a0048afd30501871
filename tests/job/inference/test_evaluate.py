"""Evaluating a run again gives its own numbers, and every opening of the test part is counted."""

import json
import os

import pytest

from dlexp.config.resolve import resolve
from dlexp.error import ConfigError, DataError, RunError
from dlexp.job.inference import unwritten
from dlexp.job.inference.evaluate import evaluate
from dlexp.job.train import train
from dlexp.run.folder import RunFolder

QUICK = ["trainer.epochs=2", "tracking=none", "trainer.threads=1", "model.widths=[8]"]


def trained(runs_dir, *overrides) -> RunFolder:
    composed = resolve([*QUICK, *overrides, f"runs_dir={runs_dir}"])
    return RunFolder.open(runs_dir / train.start(composed, announce=lambda about: lambda event: None).result["run_dir"])


def result(folder: RunFolder) -> dict:
    assert folder.result is not None
    return folder.result


@pytest.mark.parametrize("data", ["wine", "diabetes"])
def test_validation_gives_the_runs_own_metrics(tmp_path, data):
    folder = trained(tmp_path, f"data={data}", "trainer.ema=0.9")
    stored, before = result(folder)["metrics"], folder.predictions("val")["output"].tolist()
    evaluation = evaluate("last", tmp_path, "val")
    assert evaluation["metrics"] == {name: value for name, value in stored.items() if name.startswith("val/")}
    assert folder.predictions("val")["output"].tolist() == before
    assert (evaluation["num_examples"], evaluation["openings"]) == (result(folder)["data"]["num_val"], 0)
    assert (evaluation["confusion_matrix"] is None) == (data == "diabetes")


def test_openings_of_the_test_part_are_counted(tmp_path):
    folder = trained(tmp_path, "data=wine")
    assert [evaluate(folder.run_id, tmp_path, "test")["openings"] for _ in range(2)] == [1, 2]
    assert folder.manifest["test_openings"] == 2
    assert len(folder.predictions("test")["id"]) == result(folder)["data"]["num_test"]


def test_what_cannot_be_evaluated(tmp_path):
    folder = trained(tmp_path, "data=wine", "data.test_fraction=0.0")
    with pytest.raises(ConfigError, match="wine, which has no test part"):
        evaluate("last", tmp_path, "test")
    assert folder.manifest["test_openings"] == 0
    changed = folder.manifest | {"data": folder.manifest["data"] | {"fingerprint": "0"}}
    (folder.path / "manifest.json").write_text(json.dumps(changed))
    with pytest.raises(DataError, match="wine: the data changed since run"):
        evaluate("last", tmp_path, "val")
    (folder.path / "manifest.json").write_text(json.dumps(changed | {"kind": "sweep"}))
    with pytest.raises(RunError, match="got a sweep; name one of the runs in it"):
        evaluate("last", tmp_path, "val")


def test_a_folder_that_may_only_be_read_is_evaluated_and_left_as_it_is(tmp_path, monkeypatch):
    folder = trained(tmp_path, "data=wine")
    written = evaluate("last", tmp_path, "val")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    monkeypatch.setattr(unwritten.os, "access", lambda path, mode: not mode & os.W_OK)
    only_read = evaluate("last", tmp_path, "val")
    assert only_read["metrics"] == written["metrics"]
    assert (written["predictions"], only_read["predictions"]) == (str(folder.path / "predictions" / "val.npz"), None)
    assert only_read["warnings"] == ["the run's folder may only be read: nothing is stored in it"]
    opened = evaluate("last", tmp_path, "test")
    assert "this opening of the test part is not counted" in opened["warnings"][0]
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
