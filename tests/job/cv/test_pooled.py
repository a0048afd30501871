"""Leave-one-out: what is no mean over examples is that of the pooled predictions, and is compared so."""

from pathlib import Path

import numpy as np
import pytest
import sklearn.metrics as reference

from dlexp.job.compare.comparison import compare
from dlexp.job.cv import cv
from dlexp.run.folder import RunFolder

NUM = 18
QUICK = ["trainer.epochs=3", "tracking=none", "model=mlp", "model.widths=[4]", "norm=none", "trainer.batch_size=6"]


def rows(is_class):
    draw = np.random.default_rng(0)
    x = draw.normal(size=(NUM, 2)).round(4)
    y = np.where(x[:, 0] + 0.5 * draw.normal(size=NUM) > 0, "yes", "no") if is_class else (30 * x[:, 0] + 7).round(3)
    return "\n".join(["a,b,y", *(f"{a},{b},{target}" for (a, b), target in zip(x, y, strict=True))])


def left_out(place: Path, is_class: bool, *overrides: str, scheme: str = "leave_one_out") -> RunFolder:
    (place / "t.csv").write_text(rows(is_class))
    source = ["data=csv", f"data.path={place / 't.csv'}", "data.target=y", "data.test_fraction=0.0"]
    command = [*QUICK, *source, f"cv={scheme}", f"runs_dir={place / 'runs'}", *overrides]
    outcome = cv.start(command, announce=lambda _: lambda _: None)
    return RunFolder.open(Path(outcome.result["run_dir"]))


@pytest.fixture(scope="module")
def values(tmp_path_factory):
    place = tmp_path_factory.mktemp("values")
    return place, left_out(place, False), left_out(place, False, "optimizer.lr=0.002")


def test_rmse_and_r2_are_pooled(values):
    _, folder, _ = values
    result, stored = folder.result, folder.predictions("val")
    assert result is not None
    error = stored["output"].astype(float) - stored["target"]
    rmse, mae = np.sqrt((error**2).mean()), np.abs(error).mean()
    assert result["mean"]["val/rmse"] == pytest.approx(rmse, rel=1e-6)
    assert result["mean"]["val/mae"] == pytest.approx(mae, rel=1e-6)
    assert rmse > 1.02 * mae
    assert result["mean"]["val/r2"] == pytest.approx(reference.r2_score(stored["target"], stored["output"]), rel=1e-6)
    assert result["mean"]["val/mse"] == pytest.approx(rmse**2, rel=1e-6)
    assert {"val/rmse", "val/r2", "val/median_error"} <= set(result["pooled"])
    assert "val/rmse" not in result["std"]
    assert "val/mse" in result["interval_corrected"]
    assert folder.manifest["monitor"]["metric"] == "val/mse"


def test_compare_takes_the_pooled_value(values):
    place, a, b = values
    comparison = compare([a.run_id, b.run_id], place / "runs", "rmse")
    pooled_values = [run.result["mean"]["val/rmse"] for run in (a, b) if run.result is not None]
    assert [run["value"] for run in comparison["runs"]] == pytest.approx(pooled_values)
    (pair,) = comparison["pairs"]
    assert pair["difference"] == pytest.approx(pooled_values[0] - pooled_values[1])
    assert (pair["test"], pair["num"], pair["over"]) == ("paired bootstrap", NUM, "examples")
    over_folds = compare([a.run_id, b.run_id], place / "runs", "mse")
    assert (over_folds["pairs"][0]["over"], over_folds["pairs"][0]["num"]) == ("folds", NUM)


def test_areas_exist(tmp_path):
    folder = left_out(tmp_path, True)
    result, stored = folder.result, folder.predictions("val")
    assert result is not None
    area = reference.roc_auc_score(stored["target"], stored["output"][:, 0])
    assert result["mean"]["val/roc_auc"] == pytest.approx(area)
    assert result["mean"]["val/accuracy"] == pytest.approx(((stored["output"][:, 0] > 0) == stored["target"]).mean())
    assert "val/accuracy" not in result["pooled"]


def test_several_seeds_count_with_their_mean(tmp_path):
    folder = left_out(tmp_path, False, "seed=0,1")
    assert folder.result is not None
    by_seed = {}
    for record in folder.result["folds"]:
        stored = folder.child(record["run_id"]).predictions("val")
        by_seed.setdefault(record["seed"], []).append(float(stored["output"][0]) - float(stored["target"][0]))
    expected = np.mean([np.sqrt(np.mean(np.square(errors))) for errors in by_seed.values()])
    assert folder.result["mean"]["val/rmse"] == pytest.approx(expected, rel=1e-6)


def test_folds_of_several_examples_are_averaged(tmp_path):
    folder = left_out(tmp_path, False, "cv.k=3", scheme="kfold")
    assert folder.result is not None
    folds = [record["metrics"]["val/rmse"] for record in folder.result["folds"]]
    assert folder.result["mean"]["val/rmse"] == pytest.approx(np.mean(folds))
    assert "pooled" not in folder.result
