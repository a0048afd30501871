"""Cross-validation from start to result: leak-free folds, honest failure, and everything that may come between."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from scipy import stats

from dlexp.build.program import assemble
from dlexp.engine.event import EpochEnd
from dlexp.error import ConfigError, DataError, RunError
from dlexp.execution import group as group_job
from dlexp.job.cv import cv
from dlexp.job.cv.document import AnyCVResult
from dlexp.job.outcome import Outcome
from dlexp.job.train import train
from dlexp.run import scan
from dlexp.run.folder import RunFolder
from tests.job.cv.ends import only_ends
from tests.picture import OF_CLASSES, are_pictures, rendered

QUICK = [
    "data.limit=210",
    "trainer.epochs=2",
    "trainer.threads=1",
    "tracking=none",
    "cv.k=3",
    "trainer.fuse=off",
]


def quiet(_about):
    return lambda _end: None


def start(runs_dir: Path, *overrides: str, announce=quiet, has_figures=False) -> Outcome:
    return cv.start([*overrides, f"runs_dir={runs_dir}"], announce=announce, has_figures=has_figures)


def folder_of(outcome: Outcome) -> RunFolder:
    return RunFolder.open(Path(outcome.result["run_dir"]))


def plain(result: AnyCVResult) -> dict[str, Any]:
    """Return a result without what differs between two runs of the same."""
    text = json.loads(json.dumps(result))
    for record in [text, *text["folds"]]:
        for key in ("run_id", "run_dir", "seconds"):
            record.pop(key, None)
    return text


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Outcome:
    with rendered():
        return start(tmp_path_factory.mktemp("runs"), *QUICK, has_figures=True)


def test_result_has_what_the_contract_names(whole):
    result = whole.result
    assert whole.exit_code == 0
    assert (result["kind"], result["status"], result["complete"]) == ("cv", "finished", True)
    assert (result["k"], result["repeats"]) == (3, 1)
    assert [(fold["repeat"], fold["fold"], fold["status"]) for fold in result["folds"]] == [
        (0, fold, "finished") for fold in range(3)
    ]
    assert folder_of(whole).result == result
    assert "optimistic" in result["interval_note"]


def test_mean_std_and_interval_are_those_of_the_folds(whole):
    result = whole.result
    values = [fold["metrics"]["val/accuracy"] for fold in result["folds"]]
    assert result["mean"]["val/accuracy"] == pytest.approx(np.mean(values))
    assert result["std"]["val/accuracy"] == pytest.approx(np.std(values, ddof=1))
    # logit m -+ t_2 s c / (m (1 - m)); c^2 = 1/3, and 1/3 + n_val / n_train = 1/3 + 1/2 where corrected
    m, s = np.mean(values), np.std(values, ddof=1)
    for kind, c in (("interval", 3**-0.5), ("interval_corrected", (5 / 6) ** 0.5)):
        step = stats.t.ppf(0.975, 2) * s * c / (m * (1 - m))
        expected = [1 / (1 + np.exp(-np.log(m / (1 - m)) - sign * step)) for sign in (-1, 1)]
        assert result[kind]["val/accuracy"] == pytest.approx(expected)


def test_every_example_outside_the_test_part_is_predicted_once_by_a_model_that_never_saw_it(whole):
    folder = folder_of(whole)
    held_out, test = [], set()
    for record in whole.result["folds"]:
        child = folder.child(record["run_id"])
        with np.load(child.path / "split.npz") as split:
            train_rows, val_rows, test_rows = (set(split[key].tolist()) for key in ("train", "val", "test"))
        assert not train_rows & val_rows
        assert not test_rows & (train_rows | val_rows)
        assert len(train_rows | val_rows) == 210
        assert {int(row) for row in child.predictions("val")["id"]} == val_rows
        held_out += val_rows
        test = test_rows
    stored = folder.predictions("val")
    assert sorted(held_out) == sorted(int(row) for row in stored["id"])
    assert len(set(held_out)) == len(held_out) == 210
    assert len(test) == 359
    accuracy = float((stored["output"].argmax(1) == stored["target"]).mean())
    assert whole.result["out_of_fold"]["accuracy"] == pytest.approx(accuracy)
    assert np.sum(whole.result["out_of_fold"]["confusion_matrix"]) == 210
    assert are_pictures(folder.figures, "folds", *OF_CLASSES)


def test_a_fold_equals_the_same_fold_trained_alone(whole):
    folder = folder_of(whole)
    seeds = set()
    for record in whole.result["folds"]:
        child = folder.child(record["run_id"])
        seeds.add(child.config["seed"])
        built = assemble(child.config)
        for _ in built.run.events():
            pass
        stored = load_file(child.checkpoints / "last" / "weights.safetensors")
        alone = dict(built.model.named_parameters())
        assert alone.keys() <= stored.keys()
        assert all(torch.equal(stored[name], alone[name]) for name in alone)
    assert len(seeds) == 3


def test_finished_folds_are_not_run_again(whole, tmp_path):
    runs_dir = tmp_path / "o'brien a \\ and $HOME"  # what a grammar and a shell would read otherwise
    outcome = start(runs_dir, *QUICK)
    folder = folder_of(outcome)
    children = folder.children()
    (folder.path / "result.json").unlink()
    folder.update_manifest(status="running", end=None)
    (children[1].path / "result.json").unlink()
    before = [(child.path / "metrics.jsonl").stat().st_mtime_ns for child in children]
    told = []
    again = cv.resume("last", runs_dir, announce=lambda _about: only_ends(told.append), has_figures=False)
    assert [(end.fold.fold, end.is_new) for end in told] == [(0, False), (2, False), (1, True)]
    assert plain(again.result) == plain(outcome.result) == plain(whole.result)
    after = [(child.path / "metrics.jsonl").stat().st_mtime_ns for child in children]
    assert before[0::2] == after[0::2]
    done = cv.resume("last", runs_dir, announce=quiet, has_figures=False)
    assert "nothing to resume" in done.notes[0]


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_after_a_checkpoint_and_resume_ends_the_same(tmp_path, whole, signum, code):
    def announce(_about):
        return only_ends(lambda end: os.kill(os.getpid(), signum) if end.fold.fold == 0 else None)

    outcome = start(tmp_path, *QUICK, announce=announce)
    assert (outcome.exit_code, outcome.result["status"], outcome.result["complete"]) == (code, "interrupted", False)
    assert outcome.result["mean"] == outcome.result["out_of_fold"] == {}
    assert "dlexp cv --resume" in outcome.notes[-1]
    assert plain(cv.resume("last", tmp_path, announce=quiet, has_figures=False).result) == plain(whole.result)


def test_a_failed_fold_makes_it_incomplete_and_is_run_again(tmp_path, whole, monkeypatch):
    train_group = group_job.train_group

    def fail_once(group, should_stop, limits):
        if group.assignments[0].folder.manifest["fold"] == 1:
            raise RuntimeError("made to fail")
        return train_group(group, should_stop, limits)

    monkeypatch.setattr(group_job, "train_group", fail_once)
    outcome = start(tmp_path, *QUICK)
    assert outcome.exit_code == 1
    assert [fold["status"] for fold in outcome.result["folds"]] == ["finished", "failed", "finished"]
    assert (outcome.result["status"], outcome.result["complete"], outcome.result["mean"]) == ("failed", False, {})
    assert any("made to fail" in note for note in outcome.notes)
    monkeypatch.undo()
    assert plain(cv.resume("last", tmp_path, announce=quiet, has_figures=False).result) == plain(whole.result)


def test_diverged_folds_are_not_averaged(tmp_path):
    outcome = start(tmp_path, *QUICK, "optimizer.lr=1e30", "norm=none")
    assert (outcome.exit_code, outcome.result["status"], outcome.result["mean"]) == (3, "diverged", {})
    json.loads((Path(outcome.result["run_dir"]) / "result.json").read_text(), parse_constant=pytest.fail)


def test_repeats_of_values(tmp_path, drawn):
    outcome = start(
        *(tmp_path, "data=diabetes", "trainer.epochs=1", "tracking=none", "cv.k=2", "cv.repeats=2"),
        *("optimizer.lr=0.001", "trainer.fuse=off"),
        has_figures=True,
    )
    result = outcome.result
    assert (result["k"], result["repeats"], len(result["folds"])) == (2, 2, 4)
    stored = folder_of(outcome).predictions("val")
    assert np.unique(stored["id"], return_counts=True)[1].tolist() == [2] * 354
    rmse = float(np.sqrt(np.mean((stored["output"] - stored["target"]) ** 2)))
    assert result["out_of_fold"]["rmse"] == pytest.approx(rmse, rel=1e-5)
    assert are_pictures(folder_of(outcome).figures, "folds", "residuals")


def test_leave_one_out_averages_what_is_a_mean_over_examples_and_pools_the_rest(tmp_path):
    draw = np.random.default_rng(0)
    np.savez(tmp_path / "x.npz", x=draw.normal(size=(12, 3)), y=np.arange(12) % 2)
    outcome = start(
        *(tmp_path / "runs", "data=arrays", f"data.path={tmp_path / 'x.npz'}", "data.test_fraction=0.0"),
        *("cv=leave_one_out", "trainer.epochs=1", "trainer.batch_size=4", "tracking=none", "trainer.fuse=off"),
    )
    assert len(outcome.result["folds"]) == outcome.result["k"] == 12
    assert outcome.result["mean"]["val/accuracy"] == pytest.approx(outcome.result["out_of_fold"]["accuracy"])
    # one example has no area: that of the pooled predictions stands for it, without a spread
    assert outcome.result["mean"]["val/roc_auc"] == pytest.approx(outcome.result["out_of_fold"]["roc_auc"])
    assert "val/roc_auc" not in outcome.result["std"]
    assert outcome.result["out_of_fold"]["roc_auc"] is not None


def test_refusals(tmp_path, whole):
    path = tmp_path / "t.csv"
    path.write_text("x,y,when\n" + "\n".join(f"{i},{i % 2},{i}" for i in range(30)))
    with pytest.raises(ConfigError, match="train on the future"):
        start(tmp_path, "data=csv", f"data.path={path}", "data.target=y", "data.time=when", "tracking=none")
    with pytest.raises(ConfigError, match=r"cv: got rolling; it needs times"):
        start(tmp_path, "data=csv", f"data.path={path}", "data.target=y", "cv=rolling", "tracking=none")
    with pytest.raises(ConfigError, match="got 1; "):
        start(tmp_path, *QUICK[:-2], "cv.k=1")
    assert scan.run_paths(tmp_path) == []
    runs_dir = folder_of(whole).runs_dir
    with pytest.raises(RunError, match="got a cv; go on with `dlexp cv --resume"):
        train.resume("last", runs_dir, announce=lambda _about: lambda _event: None)
    with pytest.raises(RunError, match="got a fold"):
        cv.resume(str(folder_of(whole).children()[0].path), runs_dir, announce=quiet)


def test_changed_data_are_refused(tmp_path):
    outcome = start(tmp_path, *QUICK)
    folder = folder_of(outcome)
    folder.update_manifest(status="killed", data={"name": "digits", "fingerprint": "other"})
    with pytest.raises(DataError, match="the data changed"):
        cv.resume("last", tmp_path, announce=quiet, has_figures=False)


def test_folds_in_one_program_are_the_folds_alone(whole, tmp_path):
    """Bit for bit it is only the same where both call the same kernels; two epochs are too few for rounding to grow."""
    outcome = start(tmp_path, *QUICK[:-1], "trainer.fuse=3")
    assert outcome.exit_code == 0
    together, alone = folder_of(outcome).predictions("val"), folder_of(whole).predictions("val")
    assert together["id"].tolist() == alone["id"].tolist()
    assert np.allclose(together["output"], alone["output"], atol=1e-4)
    assert outcome.result["mean"]["val/loss"] == pytest.approx(whole.result["mean"]["val/loss"], abs=1e-5)
    for mine, other in zip(outcome.result["folds"], whole.result["folds"], strict=True):
        assert {**mine, "metrics": 0, "run_id": 0} == {**other, "metrics": 0, "run_id": 0}


def test_a_program_of_folds_is_interrupted_and_resumed(tmp_path, monkeypatch):
    fused = [*QUICK[:-1], "trainer.fuse=3"]
    expected = plain(start(tmp_path / "whole", *fused).result)
    train_group = group_job.train_group

    def cut_off(group, should_stop, limits):
        for told in train_group(group, should_stop, limits):
            if isinstance(told[1], EpochEnd) and told[1].epoch == 1:
                os.kill(os.getpid(), signal.SIGINT)
            yield told

    monkeypatch.setattr(group_job, "train_group", cut_off)
    with pytest.raises(SystemExit):  # each of the three folds brings a signal, and the second one does not wait
        start(tmp_path / "cut", *fused)
    monkeypatch.undo()
    assert plain(cv.resume("last", tmp_path / "cut", announce=quiet, has_figures=False).result) == expected


def test_a_program_that_fails_leaves_its_folds_to_be_trained_alone(tmp_path, whole, monkeypatch):
    train_group = group_job.train_group

    def fail(group, should_stop, limits):
        if len(group.assignments) > 1:
            raise RuntimeError("made to fail")
        return train_group(group, should_stop, limits)

    monkeypatch.setattr(group_job, "train_group", fail)
    assert plain(start(tmp_path, *QUICK[:-1], "trainer.fuse=3").result) == plain(whole.result)


def test_the_held_out_part_choosing_the_epoch_is_said(tmp_path):
    outcome = start(tmp_path, *QUICK, "trainer.monitor=val/accuracy")
    assert "optimistic" in outcome.notes[0]
