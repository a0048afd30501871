"""Run folders that version 0.1.0 wrote stay readable: listed, evaluated, predicted with, compared and gone on with."""

import json
import tarfile
from pathlib import Path

import numpy as np
import pytest

from dlexp.error import RunError
from dlexp.job.compare.comparison import compare
from dlexp.job.cv import cv
from dlexp.job.inference.evaluate import evaluate
from dlexp.job.inference.predict import predict
from dlexp.job.sweep import sweep
from dlexp.job.train import train
from dlexp.job.train.verify import verify
from dlexp.run.listing.ranking import rank, records_of
from dlexp.run.scan import find
from tests.present import present

ARCHIVE = Path(__file__).parent / "golden" / "runs-0.1.0.tar.xz"
TRAIN, SWEEP, CV = "1qtqar9jqeq", "1qtqaz83gtn", "1qtqb2n00dn"
STOPPED = {"train": "1qtqb627cnj", "sweep": "1qtqb8zemwh", "cv": "1qtqbc29me4"}


def unpack(folder: Path) -> Path:
    """Return the run folders, unpacked into a folder."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # Python 3.11.4 has it
        archive.extractall(folder)
    return folder / "runs"


@pytest.fixture
def runs_dir(tmp_path):
    return unpack(tmp_path)


def listener(_about):
    return lambda _event: None


class Deaf:
    """Hears of a sweep and keeps it to itself."""

    def listen(self, event):
        pass

    def close(self):
        pass


def test_they_are_listed(runs_dir):
    records = {record["run_id"]: record for record in records_of(rank(runs_dir))}
    assert set(records) == {TRAIN, SWEEP, CV, *STOPPED.values()}
    assert records[TRAIN]["metrics"]["val/accuracy"] == pytest.approx(0.3538, abs=5e-5)
    assert {records[run_id]["status"] for run_id in STOPPED.values()} == {"interrupted"}


@pytest.mark.parametrize("run_id", [TRAIN, "66b945e1581d", "1qtqb2nb5qa"], ids=["run", "trial", "fold"])
def test_their_weights_give_the_metrics_that_were_recorded(runs_dir, run_id):
    recorded = json.loads((find(runs_dir, run_id).path / "result.json").read_text())["metrics"]
    again = evaluate(run_id, runs_dir, split="val")["metrics"]
    assert again["val/accuracy"] == recorded["val/accuracy"]
    assert again["val/loss"] == pytest.approx(recorded["val/loss"], rel=1e-5)


def test_they_predict(runs_dir, tmp_path):
    np.save(tmp_path / "one.npy", np.zeros((1, 8, 8), dtype=np.float32))
    document = predict(TRAIN, runs_dir, [tmp_path / "one.npy"])
    assert sum(present(document["predictions"][0].get("probabilities")).values()) == pytest.approx(1.0, abs=1e-5)


def test_they_are_compared(runs_dir):
    document = compare([TRAIN, f"{SWEEP}:2"], runs_dir)
    (pair,) = document["pairs"]
    assert pair["difference"] == pytest.approx(0.3538 - 0.2674, abs=1e-4)


def test_a_stopped_run_goes_on(runs_dir):
    done = len(find(runs_dir, STOPPED["train"]).history())
    outcome = train.resume(STOPPED["train"], runs_dir, announce=listener)
    assert outcome.exit_code == 0
    assert done < outcome.result["epochs"] == 60


def test_a_stopped_cv_goes_on(runs_dir):
    outcome = cv.resume(STOPPED["cv"], runs_dir, announce=listener)
    assert outcome.result["complete"]
    assert {fold["run_id"] for fold in outcome.result["folds"]} >= {"1qtqbc2p44f", "1qtqbc2xtnz"}


@pytest.mark.parametrize(("run_id", "cure"), [(SWEEP, "result.json"), (STOPPED["sweep"], "dlexp sweep ")])
def test_a_sweep_whose_trials_would_not_agree_is_not_mixed_with_new_ones(runs_dir, run_id, cure):
    before = sorted(runs_dir.rglob("manifest.json"))
    with pytest.raises(RunError, match=cure):
        sweep.resume(run_id, runs_dir, None, announce=lambda _about: Deaf())
    assert sorted(runs_dir.rglob("manifest.json")) == before


def test_the_engine_of_a_trial_keeps_its_meaning_under_its_new_name(runs_dir):
    assert find(runs_dir, "66b945e1581d").manifest["engine"] == "batched"
    assert verify("66b945e1581d", runs_dir)["engine"] == "batched"
