"""Real runs that diverge in finite numbers, or are no better than a guess, say so."""

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor

from dlexp.build.dataset import load_data
from dlexp.config.resolve import resolve
from dlexp.data.fact.guess import guess
from dlexp.engine.divergence import LOSS_FACTOR
from dlexp.job.sweep import sweep
from dlexp.job.train import train
from dlexp.run.folder import RunFolder
from tests.present import present

QUICK = ["tracking=none", "trainer.threads=1", "trainer.epochs=3"]


class Quiet:
    """A listener that shows nothing."""

    def listen(self, event):
        pass

    def close(self):
        pass


def trained(place, *overrides):
    keys = {override.partition("=")[0] for override in overrides}
    quick = [override for override in QUICK if override.partition("=")[0] not in keys]
    return train.start(resolve([*quick, *overrides, f"runs_dir={place}"]), announce=lambda _: lambda _: None)


@pytest.mark.parametrize(
    ("overrides", "constant"),
    [
        (["data=digits", "optimizer.lr=100"], np.log(10)),
        (["data=digits", "optimizer.lr=100", "trainer.patience=1", "trainer.epochs=30"], np.log(10)),
        (["data=diabetes", "model=softmax", "optimizer.lr=0.7"], 1.0),
    ],
    ids=["classes", "stopped early", "values"],
)
def test_a_huge_finite_loss_is_divergence(tmp_path, overrides, constant):
    outcome = trained(tmp_path, *overrides)
    folder = RunFolder.open(Path(outcome.result["run_dir"]))
    last = folder.history()[-1]
    assert np.isfinite(last["train/loss"])
    assert last["train/loss"] > LOSS_FACTOR * constant
    assert (outcome.exit_code, outcome.result["status"], folder.manifest["status"]) == (3, "diverged", "diverged")
    assert outcome.notes[0].startswith("the training loss of the last epoch")
    again = train.resume(folder.run_id, tmp_path, announce=lambda _: lambda _: None)
    assert (again.exit_code, again.result["status"]) == (3, "diverged")


def test_huge_margins_that_are_right_are_none(tmp_path):
    outcome = trained(tmp_path, "data=digits", "model=softmax", "optimizer.lr=1e6")
    assert outcome.result["metrics"]["train/loss"] > 100
    assert (outcome.exit_code, outcome.result["status"]) == (0, "finished")
    assert outcome.notes == []


def test_a_trial_of_a_sweep_diverges_alike_alone_and_in_a_stack(tmp_path):
    for fuse in ("off", "2"):
        settings = ["data=digits", "optimizer.lr=0.1,100", f"trainer.fuse={fuse}", f"runs_dir={tmp_path / fuse}"]
        outcome = sweep.start([*QUICK, *settings], None, announce=lambda _: Quiet()).outcome
        statuses = {trial["overrides"]["optimizer.lr"]: trial["status"] for trial in outcome.result["trials"]}
        assert statuses == {0.1: "finished", 100: "diverged"}
        assert present(outcome.result["best"])["overrides"] == {"optimizer.lr": 0.1}


@pytest.mark.parametrize(
    ("overrides", "words", "finding"),
    [
        # hidden units at 0 pass no gradient on: the output's bias alone learns, and that is the class shares
        (
            ["data=breast_cancer", "init=zeros"],
            "is no better than guessing the most frequent class, 0.6",
            "finding symmetric",
        ),
        (
            ["data=diabetes", "optimizer.lr=1e-7"],
            "is no better than guessing the mean of the training targets, 70.26",
            "finding lr_small",
        ),
    ],
    ids=["classes", "values"],
)
def test_no_better_than_a_guess(tmp_path, overrides, words, finding):
    outcome = trained(tmp_path, *overrides)
    assert (outcome.exit_code, outcome.result["status"]) == (0, "finished")
    assert words in outcome.notes[0]
    assert [note.partition(":")[0] for note in outcome.notes[1:]] == [finding]


@pytest.mark.parametrize("data", ["breast_cancer", "wine", "diabetes"])
def test_the_guess_is_scikit_learns(data):
    dataset = load_data(resolve([f"data={data}", *QUICK]).config)
    y, rows, parts = dataset.targets.numpy(), dataset.train.numpy(), dataset.val.numpy()
    x = np.zeros((len(y), 1))
    if data == "diabetes":
        said = DummyRegressor().fit(x[rows], y[rows].astype(float)).predict(x[parts])
        assert guess(dataset) == {"val/rmse": pytest.approx(np.sqrt(np.mean((said - y[parts]) ** 2)), rel=1e-6)}
    else:
        score = DummyClassifier(strategy="most_frequent").fit(x[rows], y[rows]).score(x[parts], y[parts])
        assert guess(dataset) == {"val/accuracy": pytest.approx(score)}


def test_a_run_that_has_learnt_is_not_mentioned(tmp_path):
    for data in ("iris", "wine"):
        outcome = trained(tmp_path, f"data={data}", "trainer.epochs=3")
        assert outcome.result["metrics"]["val/accuracy"] > 0.6
        assert outcome.notes == []
        assert json.loads((Path(outcome.result["run_dir"]) / "result.json").read_text())["status"] == "finished"
