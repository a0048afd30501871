"""What guessing scores over folds, against scikit-learn's dummies, and that a cv which is no better says so."""

import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import root_mean_squared_error

from dlexp.config.resolve import resolve
from dlexp.job.cv import cv
from dlexp.job.cv.baseline import guess_of
from dlexp.job.cv.spec import prepare
from dlexp.job.diagnose import diagnose_run
from dlexp.run.folder import RunFolder

BASE = ["tracking=none", "trainer.threads=1", "model=softmax", "trainer.epochs=1"]


def dummies(spec, dummy, score):
    """Return a scikit-learn dummy's score in each fold."""
    inputs, targets = spec.dataset.inputs.numpy(), spec.dataset.targets.numpy()
    scores = []
    for fold in spec.folds:
        train, val = fold.train.numpy(), fold.val.numpy()
        fitted = dummy.fit(inputs[train].reshape(len(train), -1), targets[train])
        scores.append(score(targets[val], fitted.predict(inputs[val].reshape(len(val), -1))))
    return np.array(scores)


def test_of_classes():
    spec = prepare([*BASE, "data=wine", "cv.k=4", "cv.repeats=2"])
    scores = dummies(spec, DummyClassifier(strategy="most_frequent"), lambda truth, said: (truth == said).mean())
    p, num = scores.mean(), len(spec.dataset.train) + len(spec.dataset.val)
    error = np.sqrt(p * (1 - p) / num)  # the examples are the same in both repeats
    edge = int(binom.isf(0.025, num, p)) + 1  # the fewest right answers that a guess has in less than 2.5 % of draws
    for right, is_beaten in ((edge - 1, False), (edge, True)):
        told = guess_of(spec.dataset, spec.folds, {"val/accuracy": right / num})
        assert told["value"] == pytest.approx(p)
        assert told["standard_error"] == pytest.approx(error)
        assert told["is_beaten"] is is_beaten
        assert bool(told["note"]) is not is_beaten


@pytest.mark.parametrize("folds", ["cv.k=4", "cv=leave_one_out"])
def test_of_values(folds):
    spec = prepare([*BASE, "data=diabetes", "data.limit=60", "trainer.batch_size=8", folds])
    scores = dummies(spec, DummyRegressor(), root_mean_squared_error)
    floor = np.sqrt((scores**2).mean()) if folds == "cv=leave_one_out" else scores.mean()
    told = guess_of(spec.dataset, spec.folds, {"val/rmse": floor * 1.001})
    assert told["value"] == pytest.approx(floor)
    assert told["note"].startswith(f"val/rmse {floor * 1.001:.4g} is no better than guessing the mean")
    assert guess_of(spec.dataset, spec.folds, {"val/rmse": floor * 0.999})["is_beaten"]


def validated(*overrides: str) -> Any:
    given = [*overrides, "cv.k=2", "trainer.fuse=off"]
    return cv.start(given, announce=lambda _: lambda _: None, has_figures=False)


def test_a_cv_says_so_in_words_and_in_its_document(tmp_path):
    draw = np.random.default_rng(0)
    rows = [f"{x},{y}" for x, y in zip(draw.normal(size=200), draw.integers(2, size=200), strict=True)]
    (tmp_path / "t.csv").write_text("\n".join(["x,y", *rows]))  # the column says nothing of the class
    table = [*BASE, "data=csv", f"data.path={tmp_path / 't.csv'}", "data.target=y", f"runs_dir={tmp_path}"]
    bad, settings = validated(*table), validated(*table, "optimizer.lr=0.1,0.2")
    line = bad.result["guess"]["note"]
    assert "is no better than guessing the most frequent class" in line
    assert line in bad.notes
    assert settings.result["settings"][0]["guess"]["note"] in settings.notes
    good = validated(*BASE[:-1], "data=wine", "trainer.epochs=20", f"runs_dir={tmp_path}")
    assert good.result["guess"]["is_beaten"]
    assert not any("guessing" in note for note in good.notes)
    folds = RunFolder.open(Path(good.result["run_dir"])).children()
    assert sorted(fold.path.name.partition("-")[2] for fold in folds) == ["repeat1-fold1", "repeat1-fold2"]


ZEROS = [*BASE[:2], "data=wine", "trainer.epochs=1", "norm=none", "model.widths=[8]"]


@pytest.mark.parametrize(
    ("overrides", "chosen"),
    [
        (["init=zeros"], ""),
        (["init=zeros,constant"], "init=kaiming_normal"),
        (["init=zeros,constant", "cv=nested", "cv.inner_k=2", "search=grid"], "init=kaiming_normal"),
        (["init=zeros", "seed=1,2"], "seed="),
    ],
)
def test_a_cv_that_guesses_says_why_and_a_fold_can_be_diagnosed(tmp_path, overrides, chosen):
    outcome = validated(*ZEROS, f"runs_dir={tmp_path}", *overrides)
    (line,) = [note for note in outcome.notes if "finding" in note]
    assert line.startswith("repeat 1 fold 1")
    assert "finding symmetric: hidden weights whose rows are all equal 1 (hidden.0.linear); healthy: none" in line
    command = line.partition("try init=kaiming_normal: ")[2]
    assert command.startswith("dlexp cv ")
    assert command.endswith(" init=kaiming_normal")
    assert chosen in command
    assert " cv.k=2 " in command
    resolve(shlex.split(command)[2:], job="cv")
    folds = [path.parent for path in tmp_path.rglob("folds/*/manifest.json")]
    told = diagnose_run(str(folds[0]), tmp_path)
    assert told["findings"][0]["rule"] == "symmetric"
    assert str(told["findings"][0]["command"]).startswith("dlexp cv ")


def test_a_cv_whose_folds_diverged_says_why(tmp_path):
    outcome = validated(*ZEROS, "optimizer.lr=1e20", f"runs_dir={tmp_path}")
    assert outcome.result["status"] == "diverged"
    (line,) = [note for note in outcome.notes if "finding" in note]
    assert line.startswith("repeat 1 fold 1: finding lr_large: ")
    silent = validated(*ZEROS, "optimizer.lr=1e20", "trainer.diagnose=off", f"runs_dir={tmp_path}")
    assert not any("finding" in note for note in silent.notes)
