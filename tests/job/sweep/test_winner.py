"""The winner of a sweep is trained anew, with changes, on more data, over seeds."""

import json

import numpy as np
import pytest

from dlexp.config.resolve import resolve
from dlexp.error import ConfigError, RunError
from dlexp.job.sweep import sweep
from dlexp.job.sweep.winner import open_tests, over_seeds, recipe, spread
from dlexp.job.train import train
from dlexp.run.folder import RunFolder
from tests.present import present

BASE = ["tracking=none", "trainer.threads=1", "model.widths=[8]", "data.limit=200", "trainer.epochs=4"]


class Deaf:
    def listen(self, event):
        pass

    def close(self):
        pass


def search(runs_dir, *overrides, **more):
    return sweep.start(
        [*BASE, f"runs_dir={runs_dir}", *overrides], None, announce=lambda _about: Deaf(), **more, has_figures=False
    )


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    runs_dir = tmp_path_factory.mktemp("retrain")
    findings = search(runs_dir, "optimizer=momentum,sgd", "optimizer.lr=0.001,0.1", "optimizer.momentum=0.5")
    return runs_dir, findings.outcome.result


def test_the_winner_is_trained_to_the_same_numbers(searched):
    runs_dir, result = searched
    retraining = recipe(result["run_id"], runs_dir, [])
    again = train.start(
        resolve(retraining.overrides), announce=lambda _about: lambda _event: None, origin=retraining.origin
    )
    assert again.result["metrics"]["val/accuracy"] == result["best"]["value"]
    folder = RunFolder.open(next(runs_dir.glob(f"*/{again.result['run_id']}-*")))
    assert folder.manifest["from"] == {"sweep": result["run_id"], "trial": result["best"]["run_id"]}
    assert recipe("last", runs_dir, []).origin["sweep"] == result["run_id"]  # a run since then is no sweep


def test_overrides_on_top_replace_the_winner_s(searched):
    runs_dir, result = searched
    config = resolve(recipe(result["run_id"], runs_dir, ["trainer.epochs=7", "optimizer.lr=0.5"]).overrides).config
    assert (config["trainer"]["epochs"], config["optimizer"]["lr"], config["model"]["widths"]) == (7, 0.5, [8])
    # the keys of an option that is exchanged go with it
    assert resolve(recipe(result["run_id"], runs_dir, ["optimizer=adam"]).overrides).config["optimizer"]["lr"] == 0.001


def test_training_and_validation_part_together(searched):
    runs_dir, result = searched
    trial = RunFolder.open(next(runs_dir.glob(f"*/*/trials/{result['best']['run_id']}-*")))
    retraining = recipe(result["run_id"], runs_dir, ["schedule=cosine"], train_on="train+val")
    config = resolve(retraining.overrides).config
    assert config["train_on"] == "train+val"
    assert config["trainer"]["epochs"] == present(trial.result)["best_epoch"]
    assert config["trainer"]["monitor"] == "auto"
    assert "nothing is left to validate on" in retraining.notes[1]
    longer = recipe(result["run_id"], runs_dir, ["trainer.epochs=9"], train_on="train+val")
    assert resolve(longer.overrides).config["trainer"]["epochs"] == 9


def test_over_seeds(searched):
    runs_dir, result = searched
    retraining = recipe(result["run_id"], runs_dir, ["seed=3"])
    texts = over_seeds(retraining.overrides, 2, first=3)
    done = sweep.start(
        texts, None, announce=lambda _about: Deaf(), open_test=True, origin=retraining.origin, has_figures=False
    )
    trials = done.outcome.result["trials"]
    assert [record["overrides"] for record in trials] == [{"seed": 3}, {"seed": 4}]
    folder = RunFolder.open(next(runs_dir.glob(f"*/{done.outcome.result['run_id']}-seeds")))
    assert folder.manifest["from"] == retraining.origin
    tests = open_tests(done.outcome.result, runs_dir)
    assert tests["runs"] == 2
    children = [json.loads((child.path / "manifest.json").read_text()) for child in folder.children()]
    assert [child["test_openings"] for child in children] == [1, 1]
    accuracies = [RunFolder.open(child.path).predictions("test") for child in folder.children()]
    right = [(predictions["output"].argmax(1) == predictions["target"]).mean() for predictions in accuracies]
    assert tests["mean"]["test/accuracy"] == pytest.approx(sum(right) / 2)
    assert recipe("last", runs_dir, []).origin["sweep"] == result["run_id"]


def test_of_several_seeds_the_first_is_trained_for_the_median_of_the_best_epochs(tmp_path):
    search(tmp_path, "optimizer.lr=0.05,0.1", "seed=5,6,7")
    retraining = recipe("last", tmp_path, [], train_on="train+val")
    folders = [child for child in RunFolder.open(next(tmp_path.glob("*/*"))).children()]
    lr = next(text for text in retraining.overrides if text.startswith("optimizer.lr="))
    mine = [folder for folder in folders if lr in folder.overrides]
    assert "seed=5" in retraining.overrides
    median = sorted(present(folder.result)["best_epoch"] for folder in mine)[1]
    assert f"trainer.epochs={median}" in retraining.overrides


def test_what_cannot_be_a_source_is_refused(searched, tmp_path):
    runs_dir, _ = searched
    train.start(resolve([*BASE, "tracking.experiment=x", f"runs_dir={tmp_path}"]), announce=lambda _a: lambda _e: None)
    with pytest.raises(RunError, match="got a train; a sweep is needed"):
        recipe(next((tmp_path / "x").iterdir()).name[:11], tmp_path, [])
    with pytest.raises(RunError, match="got no sweeps"):
        recipe("last", tmp_path, [])
    with pytest.raises(RunError, match="no such run"):
        recipe("nope", runs_dir, [])
    failed = search(tmp_path, "optimizer.lr=1e30,1e31", "norm=none")
    assert failed.outcome.exit_code == 1
    with pytest.raises(RunError, match="no trial of this sweep has finished"):
        recipe("last", tmp_path, [])


def test_the_spread_is_of_metrics_that_every_run_has():
    measured = spread([{"a": 1.0, "b": 2.0, "c": None}, {"a": 3.0, "c": 1.0}])
    assert measured == {"runs": 2, "mean": {"a": 2.0}, "std": {"a": pytest.approx(2**0.5)}}
    assert spread([]) == {"runs": 0, "mean": {}, "std": {}}


def test_an_absent_test_part_is_known_before_training(tmp_path):
    quick = ["tracking=none", "data=arrays", f"data.path={tmp_path}/a.npz", "seed=0,1", f"runs_dir={tmp_path}/runs"]
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "a.npz", x=rng.random((40, 3)), y=rng.integers(0, 2, 40))
    with pytest.raises(ConfigError, match="which has no test part"):
        sweep.start(
            [*quick, "data.test_fraction=0"], None, announce=lambda _about: Deaf(), open_test=True, has_figures=False
        )
    assert not (tmp_path / "runs").exists()
