"""A training run from start to result, and everything that may come between."""

import errno
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import yaml

from dlexp.config.compose import logged_params
from dlexp.config.resolve import resolve
from dlexp.engine.event import EpochEnd
from dlexp.error import ConfigError, DataError, EnvironmentFault, RunError
from dlexp.job.outcome import Outcome
from dlexp.job.train import train
from dlexp.metric import classification_report
from dlexp.run import scan
from dlexp.run.folder import RunFolder
from tests.picture import OF_CLASSES, OF_PICTURES, are_pictures, rendered
from tests.present import present

QUICK = ["data.limit=120", "trainer.epochs=2", "tracking=none", "trainer.threads=1"]


def start(runs_dir: Path, *overrides: str, at_epoch=None, open_test=False) -> Outcome:
    """Train; `at_epoch` is called with the number of every epoch that is over."""

    def announce(about):
        def listen(event):
            if at_epoch and isinstance(event, EpochEnd):
                at_epoch(event.epoch)

        return listen

    chosen = {override.split("=", 1)[0]: override for override in [*QUICK, *overrides]}
    composed = resolve([*chosen.values(), f"runs_dir={runs_dir}"])
    return train.start(composed, announce=announce, open_test=open_test)


def resume(runs_dir: Path, ref: str = "last", open_test=False, epochs: list | None = None) -> Outcome:
    def announce(about):
        return lambda event: None if epochs is None or not isinstance(event, EpochEnd) else epochs.append(event.epoch)

    return train.resume(ref, runs_dir, announce=announce, open_test=open_test)


def stop_with(error: BaseException):
    def stop(epoch):
        raise error

    return stop


def only(runs_dir: Path) -> RunFolder:
    (path,) = scan.run_paths(runs_dir)
    return RunFolder.open(path)


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> tuple[Path, Outcome]:
    runs_dir = tmp_path_factory.mktemp("finished")
    with rendered():
        return runs_dir, start(runs_dir)


def test_the_folder_has_everything(finished):
    runs_dir, outcome = finished
    path = only(runs_dir).path
    assert {str(p.relative_to(path)) for p in path.rglob("*") if p.is_file()} >= {
        "config.yaml", "overrides.txt", "manifest.json", "metrics.jsonl", "log.txt", "result.json", "split.npz",
        "checkpoints/last/weights.safetensors", "checkpoints/last/state.pt", "checkpoints/best/weights.safetensors",
        "predictions/val.npz",
    }  # fmt: skip
    assert are_pictures(path / "figures", "curves", "weights", *OF_CLASSES, *OF_PICTURES)
    assert yaml.safe_load((path / "config.yaml").read_text())["trainer"]["epochs"] == 2
    assert "trainer.epochs=2" in (path / "overrides.txt").read_text().splitlines()
    assert RunFolder(path).result == outcome.result
    history = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
    assert [record["epoch"] for record in history] == [1, 2]
    assert {"step", "lr", "train/loss", "val/accuracy", "seconds"} <= history[0].keys()
    manifest = json.loads((path / "manifest.json").read_text())
    assert manifest["status"] == "finished"
    assert manifest["start"] < manifest["end"]
    assert {"command", "seed", "git", "data", "packages", "device", "threads"} <= manifest.keys()
    assert manifest["monitor"] == {"metric": "val/accuracy", "mode": "max", "min_delta": 0.0}
    assert (manifest["in_shape"], manifest["num_outputs"], manifest["model"]) == ([1, 8, 8], 10, "MLP")
    assert manifest["test_openings"] == 0
    assert not (path / "predictions" / "test.npz").exists()


def test_the_split_is_stored_and_covers_the_data_once(finished):
    with np.load(only(finished[0]).path / "split.npz") as parts:
        assert len(parts["train"]) == 120
        rows = np.concatenate([parts[part] for part in ("train", "val", "test")])
    assert len(set(rows.tolist())) == len(rows)


def test_the_result_agrees_with_the_stored_predictions(finished):
    runs_dir, outcome = finished
    predictions = only(runs_dir).predictions("val")
    metrics, report = outcome.result["metrics"], outcome.result["report"]["val"]
    hits = predictions["output"].argmax(1) == predictions["target"]
    assert metrics["val/accuracy"] == pytest.approx(hits.mean(), abs=1e-12)
    assert np.asarray(report["confusion"]).trace() == hits.sum()
    assert sum(report["support_class"].values()) == outcome.result["data"]["num_val"] == len(hits)
    recall = hits[predictions["target"] == 3].mean()
    assert report["recall_class"]["3"] == pytest.approx(recall)
    outputs, targets = (torch.from_numpy(predictions[key]).unsqueeze(0) for key in ("output", "target"))
    known = classification_report(outputs, targets, 10)
    assert report.keys() == {name for name, values in known.items() if values.dim() > 1}  # none is left out
    best = only(runs_dir).history()[outcome.result["best_epoch"] - 1]
    assert metrics["val/loss"] == pytest.approx(best["val/loss"], rel=1e-5)
    assert {"val/roc_auc", "val/calibration_error", "val/top5_accuracy", "train/accuracy"} <= metrics.keys()


def test_a_finished_run_resumed_gives_its_result_and_trains_no_more(finished):
    runs_dir, outcome = finished
    epochs: list[int] = []
    again = resume(runs_dir, epochs=epochs)
    assert (again.result, again.exit_code, epochs) == (outcome.result, 0, [])
    assert "nothing to resume" in again.notes[0]
    assert only(runs_dir).manifest["resumes"] == 0


def test_a_finished_run_can_have_its_test_part_opened_later_and_every_opening_counts(tmp_path):
    first = start(tmp_path, open_test=True)
    assert only(tmp_path).manifest["test_openings"] == 1
    epochs: list[int] = []
    again = resume(tmp_path, open_test=True, epochs=epochs)
    assert epochs == []
    assert only(tmp_path).manifest["test_openings"] == 2
    assert again.result["metrics"] == first.result["metrics"]
    assert len(only(tmp_path).predictions("test")["id"]) == first.result["data"]["num_test"] > 0


def test_no_test_part_to_open_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ConfigError, match="--test: got digits, which has no test part"):
        start(tmp_path, "data.test_fraction=0", open_test=True)
    assert not scan.run_paths(tmp_path)


def test_failure_inside_is_recorded_and_the_run_can_go_on(tmp_path):
    with pytest.raises(ZeroDivisionError):
        start(tmp_path, "trainer.epochs=3", at_epoch=stop_with(ZeroDivisionError("inside")))
    folder = only(tmp_path)
    assert folder.manifest["status"] == "failed"
    assert folder.manifest["end"]
    assert "failed: ZeroDivisionError: inside" in (folder.path / "log.txt").read_text()
    epochs: list[int] = []
    outcome = resume(tmp_path, epochs=epochs)
    assert (epochs, outcome.exit_code, outcome.result["epochs"]) == ([2, 3], 0, 3)
    assert folder.manifest["status"] == "finished"
    assert folder.manifest["resumes"] == 1


def test_stopped_at_once_counts_as_interrupted(tmp_path):
    with pytest.raises(SystemExit):
        start(tmp_path, at_epoch=stop_with(SystemExit(130)))
    assert only(tmp_path).manifest["status"] == "interrupted"


@pytest.mark.parametrize("error", [MemoryError(), torch.OutOfMemoryError("CUDA out of memory. Tried to allocate")])
def test_memory_that_does_not_suffice_names_the_cure(tmp_path, error):
    with pytest.raises(EnvironmentFault, match=r"cpu: out of memory; choose a smaller trainer\.batch_size"):
        start(tmp_path, at_epoch=stop_with(error))


def test_a_run_that_another_process_has_is_refused(finished):
    folder = only(finished[0])
    folder.lock()
    try:
        with pytest.raises(RunError, match=f"in use by process {os.getpid()} on "):
            resume(finished[0])
    finally:
        folder.unlock()


def write_arrays(path: Path, shift: float) -> None:
    draws = np.random.default_rng(0)
    np.savez(path, x=draws.normal(size=(60, 4)) + shift, y=np.arange(60) % 3)


def test_data_that_changed_refuse_a_resume(tmp_path):
    write_arrays(tmp_path / "x.npz", 0.0)
    overrides = ["data=arrays", f"data.path={tmp_path}/x.npz", "data.limit=null"]
    with pytest.raises(ZeroDivisionError):
        start(tmp_path / "runs", *overrides, at_epoch=stop_with(ZeroDivisionError()))
    write_arrays(tmp_path / "x.npz", 1.0)
    with pytest.raises(DataError, match=r"x.npz: the data changed since run \w+ began; start a new run"):
        resume(tmp_path / "runs")
    write_arrays(tmp_path / "x.npz", 0.0)
    assert resume(tmp_path / "runs").exit_code == 0


def test_divergence_keeps_the_last_good_checkpoint(tmp_path):
    outcome = start(
        tmp_path, "data=diabetes", "data.limit=null", "model=softmax", "optimizer.lr=0.4", "trainer.epochs=200"
    )
    result, folder = outcome.result, only(tmp_path)
    assert (outcome.exit_code, result["status"]) == (3, "diverged")
    assert "not finite" in outcome.notes[0]
    assert 0 < result["epochs"] == present(folder.saved_epoch()) < 200
    assert result["metrics"]["val/rmse"] is not None
    assert resume(tmp_path).exit_code == 3


def test_values_get_their_report_and_figure(tmp_path, drawn):
    outcome = start(tmp_path, "data=diabetes", "data.limit=null", "optimizer=adam", "trainer.epochs=1")
    metrics, predictions = outcome.result["metrics"], only(tmp_path).predictions("val")
    error = predictions["output"].astype(np.float64) - predictions["target"]
    assert metrics["val/rmse"] == pytest.approx(np.sqrt((error**2).mean()), rel=1e-6)
    assert metrics["val/bias"] == pytest.approx(error.mean(), rel=1e-6)
    assert are_pictures(only(tmp_path).path / "figures", "curves", "weights", "residuals")


def test_an_augmented_run_has_a_contact_sheet(tmp_path, drawn):
    start(tmp_path, "model=softmax", "augment=[flip_crop,{cutout: {size: 2}}]", "trainer.epochs=1")
    assert are_pictures(only(tmp_path).path / "figures", "curves", "weights", *OF_CLASSES, *OF_PICTURES, "augment")
    assert only(tmp_path).manifest["params"]["augment"] == "flip_crop,cutout"


@pytest.mark.parametrize("below", ["runs", "deep/runs"])
def test_a_runs_dir_that_cannot_be_is_refused_at_once(tmp_path, below):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"runs_dir: got .*file is a file, a folder is needed"):
        start(tmp_path / "file" / below)


def test_a_full_disk_is_one_line_and_loses_nothing_saved_before(tmp_path, monkeypatch):
    def fill(epoch):
        def refuse(descriptor):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "fsync", refuse)

    with pytest.raises(EnvironmentFault, match=r"the disk is full, .* free some space"):
        start(tmp_path, "trainer.epochs=3", at_epoch=fill)
    monkeypatch.undo()
    scan.close_dead(tmp_path)
    epochs: list[int] = []
    outcome = resume(tmp_path, epochs=epochs)
    assert (epochs, outcome.exit_code) == ([2, 3], 0)


@pytest.mark.parametrize(("epochs", "num_missing"), [(1, 1), (3, 2)])
def test_too_little_room_for_two_checkpoints_is_told_before_training(tmp_path, monkeypatch, epochs, num_missing):
    checkpoint = 2 * 4 * (64 * 1000 + 1000 + 1000 * 10 + 10)  # float32 parameters, as many numbers of momentum
    words = ("model.widths=[1000]", "optimizer=momentum", f"trainer.epochs={epochs}")
    usage = SimpleNamespace(free=num_missing * checkpoint - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(EnvironmentFault, match=rf"{num_missing} checkpoints? and the predictions take .* are missing"):
        start(tmp_path, *words)
    assert not scan.run_paths(tmp_path)
    usage.free = num_missing * checkpoint + 100_000  # 20,000 bytes of predictions
    assert start(tmp_path, *words).exit_code == 0


def test_a_model_that_does_not_fit_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ConfigError, match=r"^model: got images of 8x8 pixels"):
        start(tmp_path, "model=cnn", "model.channels=[2,2,2,2,2,2]")
    assert not scan.run_paths(tmp_path)


def test_logged_params_are_the_choices_and_what_was_changed():
    composed = resolve(["model=mlp", "model.widths=[8]", "optimizer={lr: 0.5}", "seed=3"])
    params = logged_params(composed)
    assert params.items() >= {"model": "mlp", "optimizer": "sgd", "seed": 3, "optimizer.lr": 0.5}.items()
    assert params["model.widths"] == [8]
    assert "trainer.epochs" not in params


def test_interrupted_once_the_folder_is_there_writes_a_checkpoint_at_once(tmp_path):
    def announce(about):
        about.built.run.trainer = replace(about.built.run.trainer, epochs=1)
        os.kill(os.getpid(), 15)
        return lambda event: None

    composed = resolve([*QUICK, f"runs_dir={tmp_path}"])
    outcome = train.start(composed, announce=announce)
    assert (outcome.exit_code, outcome.result["status"], outcome.result["epochs"]) == (143, "interrupted", 0)
    assert f"go on with: dlexp train --resume {only(tmp_path).path}" in outcome.notes[0]
    assert resume(tmp_path).exit_code == 0


def test_inception_without_norm_diverges_under_plain_gradient_descent_and_says_what_to_do(tmp_path):
    images = ["data=fake", "data.num_train=64", "data.num_val=8", "trainer.batch_size=4"]
    few = ["trainer.epochs=2", "trainer.threads=1", "tracking=none", f"runs_dir={tmp_path}"]
    composed = resolve(["model=inception", "model.stem=imagenet", "optimizer=sgd", *images, *few])
    outcome = train.start(composed, announce=lambda about: lambda event: None)
    assert (outcome.exit_code, outcome.result["status"]) == (3, "diverged")
    assert any("is not finite; try a smaller optimizer.lr" in note for note in outcome.notes)
    folder = RunFolder.open(Path(outcome.result["run_dir"]))
    assert folder.manifest["status"] == "diverged"
