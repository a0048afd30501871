"""Classes and values of one file learnt together, through every command that reads the run."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from dlexp.run.folder import RunFolder
from tests.command import run as command

SMALL = ["tracking=none", "trainer.threads=1", "trainer.epochs=2", "trainer.batch_size=16", "model.widths=[8]"]


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """Return a folder with t.csv, of which every fourth row lacks the size, and two runs that differ in weights."""
    folder = tmp_path_factory.mktemp("several")
    draw = np.random.default_rng(0)
    x = draw.normal(size=(80, 3))
    with (folder / "t.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["p", "q", "r", "kind", "size"])
        for n, values in enumerate(x):
            rows.writerow([*values, f"k{values.argmax()}", values.sum() if n % 4 else ""])
    for weights in ("[1,1]", "[1,0]"):
        done = command(folder, "train", *DATA, *SMALL, f"loss.weights={weights}")
        assert done.returncode == 0, done.stderr
    return folder


DATA = ["data=csv", "data.path=t.csv", "data.target=[kind,size]"]


def runs(place: Path) -> list[Path]:
    return sorted((place / "runs" / "t").iterdir())


def test_the_result_has_metrics_of_each_target(place):
    result = RunFolder(runs(place)[0]).result
    assert result is not None
    assert result["metric"] == "val/loss"
    assert {"val/kind/accuracy", "val/size/rmse", "val/loss"} <= set(result["metrics"])
    assert set(result["guess"]) == {"val/kind/accuracy", "val/size/rmse"}


def test_eval_gives_what_training_recorded(place):
    folder = runs(place)[0]
    done = command(place, "eval", str(folder), "--json")
    recorded = RunFolder(folder).result
    assert recorded is not None
    metrics = json.loads(done.stdout)["metrics"]
    for name in ("val/kind/accuracy", "val/size/rmse", "val/loss"):
        assert metrics[name] == pytest.approx(recorded["metrics"][name], rel=1e-6)


def test_predict_answers_every_target(place):
    done = command(place, "predict", str(runs(place)[0]), "t.csv", "--out", "p.csv", "--json")
    first = json.loads(done.stdout)["predictions"][0]
    assert set(first["targets"]) == {"kind", "size"}
    header = (place / "p.csv").read_text().splitlines()[0].split(",")
    assert header[:3] == ["id", "kind", "kind probability"]
    assert header[-1] == "size"


def test_compare_takes_a_metric_of_a_target(place):
    refs = [str(path) for path in runs(place)]
    document = json.loads(command(place, "compare", *refs, "--metric", "size/rmse", "--json").stdout)
    assert document["metric"] == "val/size/rmse"
    recorded = [RunFolder(path).result for path in runs(place)]
    for side, result in zip(document["runs"], recorded, strict=True):
        assert result is not None
        assert side["value"] == pytest.approx(result["metrics"]["val/size/rmse"], rel=1e-6)
    (pair,) = document["pairs"]
    stored = RunFolder(runs(place)[0]).predictions("val")["target"]
    assert pair["num"] == int((~np.isnan(stored[:, 1])).sum())
    assert "choose one of kind/accuracy" in command(place, "compare", *refs, "--metric", "accuracy").stderr


def test_a_report_has_a_section_for_each_target(place):
    done = command(place, "report", str(runs(place)[0]))
    assert done.returncode == 0, done.stderr
    page = (runs(place)[0] / "report.html").read_text()
    assert "Target kind" in page
    assert "Target size" in page


def test_folds_show_every_target_and_the_audit_finds_nothing(place):
    document = json.loads(command(place, "cv", *DATA, *SMALL, "cv.k=2", "--json").stdout)
    assert {"val/loss", "val/kind/accuracy", "val/size/rmse"} <= set(document["mean"])
    assert {"kind/accuracy", "size/rmse"} <= set(document["out_of_fold"])
    audited = json.loads(command(place, "cv", *DATA, *SMALL, "cv.k=2", "--audit", "--json").stdout)
    assert audited["clean"] is True


def test_a_search_of_weights_needs_a_metric_that_they_do_not_change(place):
    done = command(place, "sweep", *DATA, *SMALL, "loss.weights=[1,0],[1,1]")
    assert done.returncode == 2
    assert "each setting of loss.weights has a loss of its own: search.metric=val/kind/log_loss" in done.stderr


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["loss.weights=[1]"], "loss.weights: got 1 weight; the data have the targets kind, size"),
        (["loss.weights=[0,0]"], "loss.weights: got 0 for every target; one of kind, size must be learnt"),
        (["loss=mse"], "loss: got mse; of several targets each has the loss of its task: choose auto"),
        (["trainer.monitor=val/accuracy"], "trainer.monitor: got val/accuracy; choose one of val/loss"),
        (["augment=mixup"], "augment: got mixup with several targets; it mixes labels"),
        (["data.positive=k1"], "data.positive: has no effect on several targets"),
        (["trainer.oversample=true"], "trainer.oversample: got true; the data have several targets"),
    ],
)
def test_what_several_targets_do_not_take(place, overrides, message):
    done = command(place, "train", *DATA, *SMALL, *overrides)
    assert (done.returncode, message in done.stderr) == (2, True)


def test_weights_of_one_target_are_refused(place):
    done = command(place, "train", *DATA[:2], "data.target=kind", "data.drop=[size]", *SMALL, "loss.weights=[1]")
    assert (done.returncode, "loss.weights: has no effect on one target" in done.stderr) == (2, True)
