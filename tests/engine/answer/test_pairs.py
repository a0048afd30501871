"""What the outputs of pairs mean; and a use case: trained, killed, folded, compared and reported as others are.

Shapes: T trials, N pairs.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import sklearn.metrics as reference
import torch

from dlexp.config.resolve import resolve
from dlexp.engine.answer.pairs import SamePair
from dlexp.engine.event import EpochEnd
from dlexp.execution.save import saved_model
from dlexp.job.train import train
from dlexp.run.folder import RunFolder
from tests.command import run

OUTPUTS = torch.tensor([[[0.5, 0.9], [0.5, 0.6], [0.5, 0.4], [0.5, 0.1]]])  # threshold and similarity
TARGETS = torch.tensor([[1, 0, 1, 0]])
QUICK = ["task=pairs", "pairs.train=200", "pairs.held_out=120", "data.limit=150", "model.widths=[8]", "tracking=none"]
QUICK += ["trainer.epochs=3", "trainer.threads=1"]


def test_a_pair_is_the_same_above_the_threshold_and_ranks_need_none():
    scores = SamePair().scores(OUTPUTS, TARGETS, "similarity")
    assert scores["accuracy"].item() == 0.5
    assert scores["roc_auc"].item() == 0.75  # 3 of the 4 pairs of a same and a different one are in order
    assert scores["eer"].item() == pytest.approx(0.5)
    moved = SamePair().scores(OUTPUTS - torch.tensor([0.3, 0.0]), TARGETS, "similarity")
    assert moved["accuracy"].item() == 0.75
    assert torch.equal(moved["roc_auc"], scores["roc_auc"])


def test_the_report_has_the_metrics_of_two_classes_and_the_equal_error_rate():
    report = SamePair().report(OUTPUTS, TARGETS, "similarity", 2.0, 1.0)
    assert {"balanced_accuracy", "roc_auc", "eer", "confusion"} <= set(report)
    every_epoch = SamePair().scores(OUTPUTS, TARGETS, "similarity")
    assert not {"log_loss", "calibration_error"} & (set(report) | set(every_epoch))  # a similarity is no probability
    assert SamePair(positive=0).scores(OUTPUTS, TARGETS, "similarity")["roc_auc"].item() == 0.75


def test_a_trial_without_numbers_has_no_metrics():
    broken = OUTPUTS.clone()
    broken[0, 0, 1] = torch.nan
    scores = SamePair().scores(broken, TARGETS, "similarity")
    assert all(value.isnan().all() for value in scores.values())


def trained(runs_dir, *overrides, stop_after=None):
    def announce(about):
        def listen(event):
            if isinstance(event, EpochEnd) and event.epoch == stop_after:
                raise KeyboardInterrupt

        return listen

    return train.start(resolve([*QUICK, *overrides, f"runs_dir={runs_dir}"]), announce=announce).result


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    runs_dir = tmp_path_factory.mktemp("pairs")
    return runs_dir, trained(runs_dir)


def test_the_metrics_are_those_of_the_stored_pairs_at_the_threshold_of_training(finished):
    result = finished[1]
    folder = RunFolder.open(Path(result["run_dir"]))
    stored, metrics = folder.predictions("val"), result["metrics"]
    threshold, similarity = stored["output"].astype(np.float64).T
    assert len(stored["id"]) == 120 == len(set(stored["id"].tolist()))
    assert np.unique(threshold).tolist() == pytest.approx([saved_model.read(folder)["pairs"]["threshold"]])
    assert metrics["val/accuracy"] == pytest.approx(((similarity > threshold) == stored["target"]).mean())
    assert metrics["val/roc_auc"] == pytest.approx(reference.roc_auc_score(stored["target"], similarity))
    fpr, tpr, _ = reference.roc_curve(stored["target"], similarity)
    nearest = np.abs(fpr - (1 - tpr)).argmin()
    assert abs(metrics["val/eer"] - fpr[nearest]) <= 2 / 60  # a step of the curve is one of 60 pairs of a kind
    loss = np.where(stored["target"] == 1, 1 - similarity, np.maximum(0, similarity)).mean()
    assert metrics["val/loss"] == pytest.approx(loss, rel=1e-5)
    assert "train/accuracy" not in metrics
    assert result["task"] == "pairs"


def test_a_run_that_was_stopped_and_gone_on_with_ends_alike(finished, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path, stop_after=1)
    resumed = train.resume("last", tmp_path, announce=lambda about: lambda event: None).result
    assert resumed["metrics"] == finished[1]["metrics"]
    both = [RunFolder.open(Path(result["run_dir"])) for result in (resumed, finished[1])]
    assert saved_model.read(both[0])["pairs"] == saved_model.read(both[1])["pairs"]


def test_commands_take_pairs_as_they_take_other_tasks(finished, tmp_path):
    runs_dir, first = finished
    second = trained(runs_dir, "loss=contrastive")
    named = [result["run_id"] for result in (first, second)]
    at = ("--runs-dir", str(runs_dir))
    compared = run(tmp_path, "compare", *named, *at, "--json", "--metric", "eer")
    assert compared.returncode == 0, compared.stderr
    (pair,) = json.loads(compared.stdout)["pairs"]
    assert pair["difference"] == pytest.approx(first["metrics"]["val/eer"] - second["metrics"]["val/eer"], abs=1e-6)
    tested = run(tmp_path, "eval", named[0], "--split", "test", *at, "--json")
    assert json.loads(tested.stdout)["num_examples"] == 120, tested.stderr
    assert json.loads(tested.stdout)["metrics"].keys() == {
        n.replace("val/", "test/") for n in first["metrics"] if "val/" in n
    }
    assert not [name for name in first["metrics"] if name.endswith(("log_loss", "calibration_error"))]
    page = run(tmp_path, "report", named[0], *at)
    assert page.returncode == 0, page.stderr
    text = (RunFolder.open(Path(first["run_dir"])).path / "report.html").read_text()
    assert "tell the same from different pairs of digits" in text
    assert "The area under the ROC curve" in text
    shown = run(tmp_path, "show", named[1], *at)
    assert (shown.returncode, "eer" in shown.stdout) == (0, True)


def test_folds_and_trials_in_one_program_equal_each_alone(tmp_path):
    overrides = [*QUICK[:-2], "trainer.epochs=1", "trainer.threads=1", "launcher.workers=1"]
    whole, alone = (
        run(tmp_path, "cv", *overrides, "cv.k=2", f"trainer.fuse={fuse}", f"runs_dir={fuse}", "--json")
        for fuse in ("2", "off")
    )
    assert whole.returncode == alone.returncode == 0, whole.stderr + alone.stderr
    results = [json.loads(done.stdout) for done in (whole, alone)]
    metrics = [[fold["metrics"] for fold in result["folds"]] for result in results]
    assert metrics[0] == metrics[1]
    assert results[0]["out_of_fold"]["eer"] == results[1]["out_of_fold"]["eer"]
    assert results[0]["data"]["num_examples"] == 150


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["loss=cross_entropy"], "the task is pairs: choose cosine or contrastive"),
        (["augment=mixup"], "got mixup with task=pairs; it mixes labels"),
        (["data=diabetes"], "task: got pairs; diabetes has values"),
        (["trainer.monitor=val/log_loss"], "trainer.monitor: got val/log_loss; choose one of val/loss"),
        (["pairs.train=1"], "pairs.train: got 1; at least 2"),
        (["data.val_count=1"], "val part: got 1 example without two examples of one class"),
        (["task=auto"], "pairs.train: has no effect; task=pairs draws them"),
        (["task=auto", "pairs.train=10000", "pairs.held_out=5000", "loss=cosine"], "set task=pairs, or auto"),
    ],
)
def test_bad_settings_are_refused_in_one_line_with_the_cure(tmp_path, overrides, message):
    chosen = {text.split("=", 1)[0]: text for text in [*QUICK, *overrides]}
    chosen = {key: text for key, text in chosen.items() if key != "data.limit" or "data=diabetes" not in overrides}
    done = run(tmp_path, "train", *chosen.values())
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
