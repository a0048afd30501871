"""What an autoencoder makes of its inputs is drawn, said of new examples, and told apart from a guess."""

import json

import numpy as np
import pytest

from dlexp.run.folder import RunFolder
from tests import command

QUICK = ("tracking=none", "runs_dir=runs", "task=reconstruct", "trainer.epochs=2", "optimizer=adam")
QUICK += ("trainer.batch_size=16",)
DIGITS = ("data.limit=80", "model.widths=[6]", "model.code=2")


def train(folder, *overrides):
    done = command.run(folder, "train", "--json", *QUICK, *overrides)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_run_says_what_it_reconstructs(tmp_path, drawn):
    result = train(tmp_path, *DIGITS)
    folder = RunFolder(tmp_path / result["run_dir"])
    assert result["task"] == "reconstruct"
    assert result["metric"] == "val/loss"
    assert result["guess"] == {"val/explained_variance": 0.0}
    assert {path.name for path in folder.figures.iterdir()} == {"curves.png", "reconstruction.png", "weights.png"}
    stored = folder.predictions("val")
    assert not stored["target"].any()
    assert np.mean(stored["output"] ** 2) == pytest.approx(result["metrics"]["val/mse"])
    assert result["metrics"]["val/loss"] == pytest.approx(result["metrics"]["val/mse"])

    command.run(tmp_path, "report", result["run_id"], "--runs-dir", "runs")
    page = (folder.path / "report.html").read_text()
    assert "reconstruct digits?" in page
    assert "Half of the examples have an error below" in page

    np.save(tmp_path / "new.npy", np.random.default_rng(0).random((3, 8, 8, 1), dtype=np.float32))
    said = command.run(tmp_path, "predict", result["run_id"], "new.npy", "--json", "--runs-dir", "runs")
    errors = [each["error"] for each in json.loads(said.stdout)["predictions"]]
    assert len(errors) == 3
    assert min(errors) > 0

    refused = command.run(tmp_path, "export", result["run_id"], "--runs-dir", "runs")
    assert refused.returncode != 0
    assert "models of classes and values are exported" in refused.stderr


def test_columns_of_a_table_have_their_errors(tmp_path, drawn):
    result = train(tmp_path, "data=diabetes", "model.widths=[6]")
    assert (tmp_path / result["run_dir"] / "figures" / "reconstruction.png").is_file()


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["loss=cross_entropy"], "loss: got cross_entropy; the task is reconstruct: choose mse, or auto"),
        (["loss=huber"], "loss: got huber; the task is reconstruct: choose mse, or auto"),
        (["model.code=0"], "model.code: got 0"),
        (["augment=mixup"], "augment: got mixup with task=reconstruct; it mixes labels"),
        (["augment=cutmix"], "augment: got cutmix with task=reconstruct; it mixes labels"),
        (["trainer.monitor=val/accuracy"], "trainer.monitor: got val/accuracy; choose one of val/"),
        (["trainer.oversample=true"], "trainer.oversample: got true; the data have"),
        (["model=resnet"], "model: got resnet with task=reconstruct; mlp and cnn have a decoder"),
        (["data=arrays", "data.path=one.npz"], "got one input; task=reconstruct needs two or more"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(overrides, message, tmp_path):
    np.savez(tmp_path / "one.npz", x=np.arange(60.0).reshape(-1, 1), y=np.arange(60) % 3)
    done = command.run(tmp_path, "train", *QUICK, *overrides)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "runs").exists()
