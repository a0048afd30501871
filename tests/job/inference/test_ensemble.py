"""The folds of a cv as one model: means of probabilities and values, the same by file and on the sealed test part."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dlexp.error import ConfigError, RunError
from dlexp.job.cv import cv
from dlexp.job.ensemble.member import averaged
from dlexp.job.inference import evaluate as evaluating
from dlexp.job.inference import predict as predicting
from dlexp.job.inference.ensemble import average
from dlexp.run.folder import RunFolder

QUICK = ["trainer.epochs=2", "tracking=none", "trainer.threads=1", "cv.k=3", "trainer.fuse=off", "model.widths=[8]"]


def evaluate(run: str, runs_dir: Path, split: str) -> Any:
    """Return the document as a reader of its JSON has it, whose fields depend on the run."""
    return evaluating.evaluate(run, runs_dir, split)


def predict(run: str, runs_dir: Path, paths: list[Path], *, is_ensemble: bool = False) -> Any:
    """Return the document as a reader of its JSON has it, whose fields depend on the task."""
    return predicting.predict(run, runs_dir, paths, averaged=averaged(run, runs_dir, is_ensemble=is_ensemble))


def crossed(runs_dir: Path, *overrides: str) -> RunFolder:
    outcome = cv.start(
        [*QUICK, *overrides, f"runs_dir={runs_dir}"], announce=lambda _about: lambda _end: None, has_figures=False
    )
    return RunFolder.open(Path(outcome.result["run_dir"]))


def test_the_mean_is_that_of_probabilities():
    draw = torch.Generator().manual_seed(0)
    logits = [torch.randn(20, 4, generator=draw) * 5 for _ in range(3)]
    expected = torch.stack([each.softmax(-1) for each in logits]).mean(0)
    torch.testing.assert_close(average(logits, 4).softmax(-1), expected)
    lone = [torch.randn(20, 1, generator=draw) * 30 for _ in range(3)]
    expected = torch.stack([each.sigmoid() for each in lone]).mean(0)
    assert average(lone, 2).shape == (20, 1)
    torch.testing.assert_close(average(lone, 2).sigmoid(), expected)
    values = [torch.randn(20, generator=draw) for _ in range(3)]
    torch.testing.assert_close(average(values, 0), torch.stack(values).mean(0))


@pytest.mark.parametrize("data", ["wine", "breast_cancer", "diabetes"])
def test_the_sealed_test_part_is_predicted_by_all_folds_together(tmp_path, data):
    folder = crossed(tmp_path, f"data={data}")
    evaluation = evaluate("last", tmp_path, "test")
    assert (evaluation["models"], evaluation["openings"], folder.manifest["test_openings"]) == (3, 1, 1)
    stored = folder.predictions("test")
    parts = [child.predictions("test") for child in folder.children()]
    assert all(np.array_equal(part["id"], stored["id"]) for part in parts)
    assert [child.manifest["test_openings"] for child in folder.children()] == [1, 1, 1]
    outputs = np.stack([part["output"].astype(np.float64) for part in parts])
    if data == "diabetes":
        assert stored["output"] == pytest.approx(outputs.mean(0), rel=1e-5)
        rmse = np.sqrt(np.mean((outputs.mean(0) - stored["target"]) ** 2))
        assert evaluation["metrics"]["test/rmse"] == pytest.approx(rmse, rel=1e-5)
    else:
        logits = outputs if data == "wine" else np.concatenate([np.zeros_like(outputs), outputs], -1)
        shares = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
        right = shares.mean(0).argmax(-1) == stored["target"]
        assert evaluation["metrics"]["test/accuracy"] == pytest.approx(right.mean())
        singles = [(part.argmax(-1) == stored["target"]).mean() for part in shares]
        assert [fold["metrics"]["test/accuracy"] for fold in evaluation["folds"]] == pytest.approx(singles)
    assert folder.result is not None
    assert folder.result["test"]["metrics"] == evaluation["metrics"]
    assert evaluate("last", tmp_path, "test")["openings"] == 2


def test_validation_of_a_cv_is_its_out_of_fold_predictions(tmp_path):
    folder = crossed(tmp_path, "data=wine")
    evaluation = evaluate("last", tmp_path, "val")
    assert folder.result is not None
    pooled = dict(folder.result["out_of_fold"])
    assert evaluation["confusion_matrix"] == pooled.pop("confusion_matrix")
    assert evaluation["metrics"] == {f"val/{name}": value for name, value in pooled.items()}
    assert (evaluation["openings"], evaluation["folds"]) == (0, [])


def test_new_rows_get_the_mean_of_what_the_folds_say(tmp_path):
    draw = np.random.default_rng(0)
    kinds = ["rare" if i == 7 else "abc"[i % 3] for i in range(60)]  # only some folds are trained on that one
    sizes = draw.normal(size=60).round(3)
    rows = [f"{size},{kind},{'yes' if size > 0 else 'no'}" for size, kind in zip(sizes, kinds, strict=True)]
    (tmp_path / "t.csv").write_text("\n".join(["size,kind,y", *rows]))
    source = ["data=csv", f"data.path={tmp_path / 't.csv'}", "data.target=y", "trainer.batch_size=8"]
    folder = crossed(tmp_path / "runs", *source)
    paths = [tmp_path / "t.csv"]
    predicted = predict("last", tmp_path / "runs", paths, is_ensemble=True)
    alone = [predict(str(child.path), tmp_path / "runs", paths)["predictions"] for child in folder.children()]
    assert (predicted["models"], len(predicted["predictions"])) == (3, 60)
    for i, entry in enumerate(predicted["predictions"]):
        mean = np.mean([each[i]["probabilities"]["yes"] for each in alone])
        assert entry["probabilities"]["yes"] == pytest.approx(mean, abs=1e-6)
        assert entry["class"] == ("yes" if mean > 0.5 else "no")
    with pytest.raises(RunError, match="got a cv; average its folds' models with --ensemble"):
        predict("last", tmp_path / "runs", paths)
    with pytest.raises(RunError, match="got a fold of one model; a mean needs"):
        predict(str(folder.children()[0].path), tmp_path / "runs", paths, is_ensemble=True)
    folder.write_result({**(folder.result or {}), "complete": False})
    with pytest.raises(RunError, match="incomplete cv; finish it"):
        predict("last", tmp_path / "runs", paths, is_ensemble=True)


def test_without_a_test_part_there_is_nothing_to_open(tmp_path):
    folder = crossed(tmp_path, "data=wine", "data.test_fraction=0.0")
    with pytest.raises(ConfigError, match="no test part"):
        evaluate("last", tmp_path, "test")
    assert folder.manifest["test_openings"] == 0
