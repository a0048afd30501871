"""Training on training and validation part together: nothing is left to choose by, and nothing is invented."""

import json

import pytest
import torch

from dlexp.build.dataset import load_data
from dlexp.config.resolve import resolve
from dlexp.engine.event import EpochEnd
from dlexp.error import ConfigError
from dlexp.job.inference.evaluate import evaluate
from dlexp.job.sweep.spec import prepare
from dlexp.job.train import train
from dlexp.run.folder import RunFolder

BASE = ["tracking=none", "trainer.threads=1", "model.widths=[8]", "trainer.epochs=3", "data.limit=200"]


def quiet(_about):
    return lambda _event: None


def test_the_validation_part_joins_the_training_part():
    apart, joined = (load_data(resolve([*BASE, f"train_on={parts}"]).config) for parts in ("train", "train+val"))
    assert joined.train.tolist() == sorted([*apart.train.tolist(), *apart.val.tolist()])
    assert len(joined.val) == 0
    assert torch.equal(joined.test, apart.test)
    assert joined.fingerprint == apart.fingerprint


@pytest.mark.parametrize("data", [[], ["data=diabetes", "schedule=plateau"]])
def test_a_run_has_no_validation_metric_and_its_test_part_is_sealed(tmp_path, data):
    outcome = train.start(resolve([*BASE, *data, "train_on=train+val", f"runs_dir={tmp_path}"]), announce=quiet)
    result, folder = outcome.result, RunFolder.open(next(tmp_path.glob("*/*")))
    assert (result["status"], result["data"]["num_val"]) == ("finished", 0)
    assert not any(name.startswith("val/") for record in [result["metrics"], *folder.history()] for name in record)
    losses = [record["train/loss"] for record in folder.history()]
    assert result["best_epoch"] == 1 + losses.index(min(losses))
    assert not (folder.path / "predictions" / "val.npz").exists()
    with pytest.raises(ConfigError, match=r"--split: got val; run .* was trained on it too"):
        evaluate("last", tmp_path, "val")
    if len(load_data(folder.config).test):
        assert evaluate("last", tmp_path, "test")["openings"] == 1


def test_it_goes_on_to_the_same_weights(tmp_path):
    composed = resolve([*BASE, "train_on=train+val", f"runs_dir={tmp_path}"])
    whole = train.start(composed, announce=quiet).result

    def cut_off(_about):
        def listen(event):
            if isinstance(event, EpochEnd) and event.epoch == 2:
                raise KeyboardInterrupt

        return listen

    with pytest.raises(KeyboardInterrupt):
        train.start(composed, announce=cut_off)
    resumed = train.resume("last", tmp_path, announce=quiet).result
    assert resumed["run_id"] != whole["run_id"]
    assert json.dumps(resumed["metrics"]) == json.dumps(whole["metrics"])


def test_what_would_need_a_validation_part_is_refused():
    with pytest.raises(ConfigError, match="choose one of train/loss, train/accuracy"):
        train.start(resolve([*BASE, "train_on=train+val", "trainer.monitor=val/loss"]), announce=quiet)
    with pytest.raises(ConfigError, match="train --from SWEEP --on"):
        prepare([*BASE, "train_on=train+val", "optimizer.lr=0.1,1"])
    with pytest.raises(ConfigError, match="the folds are dealt from both parts"):
        resolve([*BASE, "train_on=train+val"], job="cv")
