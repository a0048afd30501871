"""Errors of reconstructions are stored as values whose truth is 0, drawn, and said of new examples."""

import json

import numpy as np
import pytest
import torch
from sklearn.datasets import load_linnerud

from dlexp.build.components import components_of
from dlexp.build.dataset import load_data
from dlexp.build.program import make_program
from dlexp.config.resolve import resolve
from dlexp.door.run import Run
from dlexp.engine.answer.answer import Reading
from dlexp.engine.answer.reconstruction import Reconstruction
from dlexp.engine.divergence import constant_loss
from dlexp.engine.evaluate import report
from dlexp.loss import MSE
from dlexp.metric.choice import Metrics
from dlexp.run.folder import RunFolder
from dlexp.statistic import score
from tests import command

OUTPUTS = torch.tensor([[[0.5, 2.0], [1.5, 1.0], [1.0, 3.0]]], dtype=torch.float64)
ZEROS = torch.zeros(1, 3, dtype=torch.float64)
QUICK = ("tracking=none", "runs_dir=runs", "task=reconstruct", "trainer.epochs=2", "optimizer=adam")
DIGITS = ("data.limit=80", "trainer.batch_size=16", "model.widths=[6]", "model.code=2")


def test_the_loss_of_errors_is_their_mean_square():
    loss = MSE(task="reconstruct", num_inputs=64)
    assert loss.num_outputs == 64
    assert loss(OUTPUTS, ZEROS).item() == pytest.approx((0.25 + 2.25 + 1) / 3)


def test_what_is_stored_gives_the_mse_to_those_that_read_values():
    stored = Reconstruction().stored(OUTPUTS[0]).numpy()
    values_N = score.by_example("mse", stored, np.zeros(3))
    assert values_N is not None
    assert values_N.mean() == pytest.approx(Reconstruction().scores(OUTPUTS, ZEROS, "")["mse"].item())


class LargestError:
    name, higher_is_better = "largest_error", False

    def __call__(self, outputs, targets):
        assert outputs.shape == targets.shape == (3,)
        return (outputs - targets).abs().max()


def test_a_metric_of_the_users_takes_errors_as_they_are_stored():
    loss = MSE(task="reconstruct", num_inputs=64)
    scores = report(OUTPUTS, ZEROS, Reading(loss, Reconstruction(), metrics=Metrics(extra=[LargestError()])))
    assert scores["largest_error"].tolist() == [1.5]
    assert set(scores) == {"loss", "loss_se", "mse", "rmse", "explained_variance", "largest_error"}


def test_errors_have_no_unit_but_that_of_normalised_inputs():
    unit = Reconstruction().fit_unit(torch.zeros(5, dtype=torch.float64), torch.arange(5))
    assert torch.equal(unit.unscale(OUTPUTS), OUTPUTS)


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
    assert list(Run(folder).predictions().columns) == ["id", "error"]

    refused = command.run(tmp_path, "export", result["run_id"], "--runs-dir", "runs")
    assert refused.returncode != 0
    assert "models of classes and values are exported" in refused.stderr


def test_the_constant_of_a_reconstruction_is_the_mean_of_the_training_inputs():
    config = resolve(["task=reconstruct", "data.limit=200", "model.code=2", "tracking=none"]).config
    data = load_data(config)
    run = make_program(components_of([config], [data]), "solo").run
    pixels = data.inputs[data.train].flatten(1).double().numpy()
    expected = ((pixels - pixels.mean(0)) ** 2).mean() / pixels.var()
    assert constant_loss(run.task, run.step.rules.loss, 0) == pytest.approx(expected, rel=1e-5)


def test_a_sweep_of_codes_on_odd_pictures_gives_its_encoder(tmp_path):
    draw = np.random.default_rng(0)
    np.savez(tmp_path / "odd.npz", x=draw.integers(0, 256, (60, 5, 7, 3), dtype=np.uint8), y=np.arange(60) % 3)
    common = ("data=arrays", "data.path=odd.npz", "model=cnn", "model.channels=[3,2]", "trainer.batch_size=12")
    done = command.run(tmp_path, "sweep", "--json", *QUICK, *common, "model.code=2,40")
    assert done.returncode == 0, done.stderr
    sweep = json.loads(done.stdout)
    assert {trial["overrides"]["model.code"] for trial in sweep["trials"]} == {2, 40}
    assert all(np.isfinite(trial["value"]) for trial in sweep["trials"])
    begun = [each for each in QUICK if each != "task=reconstruct"]
    done = command.run(tmp_path, "train", *begun, *common, f"init_from={sweep['run_id']}")
    assert done.returncode == 0, done.stderr
    assert "(output at random)" in done.stdout + done.stderr
    done = command.run(tmp_path, "cv", "--json", *QUICK, *common, "model.code=2,3", "cv.k=2")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["metric"] == "val/explained_variance"


@pytest.mark.parametrize("k", [3, 16])
def test_folds_pool_what_reconstructions_are_measured_by(k, tmp_path):
    # several targets, which are not learnt; with 16 folds each holds out one example
    options = ("data=linnerud", f"cv.k={k}", "model.widths=[4]", "model.code=1", "trainer.batch_size=4")
    done = command.run(tmp_path, "cv", "--json", *QUICK, *options)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    folder = RunFolder(tmp_path / result["run_dir"])
    stored = folder.predictions("val")
    rows, inputs = stored["id"].astype(int), np.asarray(load_linnerud(return_X_y=True)[0])
    spread = 0.0
    for child in folder.children():
        held = child.predictions("val")["id"].astype(int)
        train = inputs[np.setdiff1d(rows, held)]
        spread += (((inputs[held] - train.mean(0)) / train.std(0)) ** 2).mean(1).sum()
    mse = np.mean(stored["output"] ** 2)
    explained = 1 - mse * len(rows) / spread
    assert result["out_of_fold"] == pytest.approx({"mse": mse, "rmse": mse**0.5, "explained_variance": explained})
    if k == 16:
        assert result["metric"] == "val/mse"
        assert result["mean"]["val/explained_variance"] == pytest.approx(explained)
        command.run(tmp_path, "report", result["run_id"], "--runs-dir", "runs")
        page = (folder.path / "report.html").read_text()
        assert "the 16 examples of the largest errors" in page
        assert "too high" not in page


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
