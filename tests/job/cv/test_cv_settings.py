"""Settings x folds and seeds x folds: the same folds for all, each training as if alone, honest about the best."""

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
from dlexp.error import ConfigError, RunError
from dlexp.execution import group as group_job
from dlexp.job.compare.comparison import compare
from dlexp.job.cv import cv
from dlexp.job.cv.document import AnyCVResult
from dlexp.job.inference.evaluate import evaluate
from dlexp.job.outcome import Outcome
from dlexp.run import scan
from dlexp.run.folder import RunFolder
from dlexp.statistic.holm import holm
from tests.job.cv.ends import only_ends
from tests.picture import are_pictures, rendered

QUICK = ["data=wine", "trainer.epochs=2", "trainer.batch_size=16", "model.widths=[8]", "tracking=none", "cv.k=3"]
THREE = "optimizer.lr=0.0001,0.05,0.1"


def start(
    runs_dir: Path, *overrides: str, announce=lambda _about: lambda _end: None, has_figures: bool = False
) -> Outcome[Any]:
    return cv.start([*QUICK, *overrides, f"runs_dir={runs_dir}"], announce=announce, has_figures=has_figures)


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    """Three settings, trained as one program each fold size."""
    with rendered():
        return start(tmp_path_factory.mktemp("settings"), THREE, "trainer.fuse=9", has_figures=True)


@pytest.fixture(scope="module")
def seeds(tmp_path_factory):
    return start(tmp_path_factory.mktemp("seeds"), "seed=range(0,4)", "trainer.fuse=12")


def plain(result: AnyCVResult) -> dict[str, Any]:
    """Return a result without what differs between two runs of the same."""
    text = json.loads(json.dumps(result))
    for record in [text, *text["folds"], *text.get("settings", []), *text.get("comparisons", [])]:
        for key in ("run_id", "run_dir", "seconds", "a", "b"):
            record.pop(key, None)
    return text


def folder_of(outcome) -> RunFolder:
    return RunFolder.open(Path(outcome.result["run_dir"]))


def assert_as_alone(child: RunFolder):
    """A training in company ends where the same configuration ends alone."""
    built = assemble(child.config)
    for _ in built.run.events():
        pass
    stored = load_file(child.checkpoints / "last" / "weights.safetensors")
    for name, value in built.model.named_parameters():
        torch.testing.assert_close(stored[name], value.detach(), rtol=1e-4, atol=1e-5)


def test_every_setting_is_a_cv_on_the_same_folds(settings):
    result, folder = settings.result, folder_of(settings)
    assert (settings.exit_code, result["kind"], result["status"], result["complete"]) == (0, "cv", "finished", True)
    children = folder.children()
    assert [child.manifest["kind"] for child in children] == ["cv"] * 3
    assert [child.config["optimizer"]["lr"] for child in children] == [0.0001, 0.05, 0.1]
    parts = []
    for child in children:
        assert child.result is not None
        assert child.result["complete"]
        assert child.result["mean"]["val/accuracy"] > 0
        parts.append([fold.predictions("val")["id"].tolist() for fold in child.children()])
        assert len(child.children()) == 3
    assert parts[0] == parts[1] == parts[2]
    seeds = [[fold.config["seed"] for fold in child.children()] for child in children]
    assert seeds[0] == seeds[1] == seeds[2]


def test_settings_times_folds_train_as_each_alone(settings):
    sizes = {child.config["optimizer"]["lr"]: child for child in folder_of(settings).children()}
    logs = [(fold.path / "log.txt").read_text() for child in sizes.values() for fold in child.children()]
    assert all("batched" in log or "vmapped" in log for log in logs)
    for child in sizes.values():
        for fold in child.children():
            assert_as_alone(fold)


def test_the_best_is_compared_with_every_other_fold_by_fold(settings):
    result = settings.result
    entries, pairs = result["settings"], result["comparisons"]
    values = [entry["value"] for entry in entries]
    assert values == sorted(values, reverse=True)
    assert (result["picked_among"], result["mean"], result["folds"]) == (3, {}, [])
    assert "flatters the best" in result["note"]
    assert result["metrics"]["settings/best"] == values[0]
    by_id = {child.run_id: child.result for child in folder_of(settings).children()}
    folds = [(by_id[entry["run_id"]] or {})["folds"] for entry in entries]
    scores = [[fold["metrics"]["val/accuracy"] for fold in of_setting] for of_setting in folds]
    assert [pair["b"] for pair in pairs] == [entry["run_id"] for entry in entries[1:]]
    for pair, other in zip(pairs, scores[1:], strict=True):
        differences = np.subtract(scores[0], other)
        assert pair["difference"] == pytest.approx(differences.mean())
        # 142 examples: two folds hold out 47, one 48
        scale = np.sqrt(1 + 3 * np.mean([48 / 94, 47 / 95, 47 / 95]))
        error = stats.sem(differences) * scale
        expected = 2 * stats.t.sf(abs(differences.mean() / error), 2)
        assert pair["p_value"] == pytest.approx(expected, rel=1e-6)
    # Holm over all three pairs, that of the second and third among them
    last = np.subtract(scores[1], scores[2])
    scale = np.sqrt(1 + 3 * np.mean([48 / 94, 47 / 95, 47 / 95]))
    rest = 2 * stats.t.sf(abs(last.mean() / (stats.sem(last) * scale)), 2)
    adjusted = holm(np.array([pair["p_value"] for pair in pairs] + [rest]))
    assert [pair["p_holm"] for pair in pairs] == pytest.approx(adjusted[:2].tolist(), rel=1e-6)
    assert result["compared_pairs"] == 3
    assert {entry["against_best"] for entry in entries[1:]} <= {"worse", "cannot tell"}
    assert entries[0]["against_best"] is None
    assert are_pictures(folder_of(settings).figures, "settings")


def test_settings_are_runs_of_their_own_for_other_commands(settings):
    folder = folder_of(settings)
    paths = [entry["run_dir"] for entry in settings.result["settings"]]
    comparison = compare(paths[:2], folder.runs_dir)
    mine = settings.result["comparisons"][0]
    assert comparison["pairs"][0]["difference"] == pytest.approx(mine["difference"])
    assert comparison["pairs"][0]["p_value"] == pytest.approx(mine["p_value"])
    assert evaluate(paths[0], folder.runs_dir, "test").get("models") == 3
    with pytest.raises(RunError, match="got one setting of a cv; go on with `dlexp cv --resume"):
        cv.resume(paths[0], folder.runs_dir, announce=lambda _about: lambda _end: None, has_figures=False)
    with pytest.raises(RunError, match="got a cv of 3 settings; name one of them"):
        evaluate(str(folder.path), folder.runs_dir, "test")


def test_several_settings_are_interrupted_and_resumed(tmp_path):
    solo = [THREE, "trainer.fuse=off"]
    expected = plain(start(tmp_path / "whole", *solo).result)
    told = []

    def announce(_about):
        def listen(end):
            told.append(end)
            if len(told) == 4:
                os.kill(os.getpid(), signal.SIGINT)

        return only_ends(listen)

    cut = start(tmp_path / "cut", *solo, announce=announce)
    assert (cut.exit_code, cut.result["status"], cut.result["complete"]) == (130, "interrupted", False)
    incomplete = [entry for entry in cut.result["settings"] if not entry["complete"]]
    assert incomplete
    assert all(entry["mean"] == {} and entry["value"] is None for entry in incomplete)
    assert "settings are whole; go on with: dlexp cv --resume" in cut.notes[-1]
    new = []
    again = cv.resume("last", tmp_path / "cut", announce=lambda _about: only_ends(new.append), has_figures=False)
    assert sum(end.is_new for end in new) == 9 - 4
    assert plain(again.result) == expected
    folder = folder_of(again)
    assert [child.manifest["status"] for child in folder.children()] == ["finished"] * 3
    assert (
        "nothing to resume"
        in cv.resume("last", tmp_path / "cut", announce=lambda _: lambda _: None, has_figures=False).notes[0]
    )


def test_a_setting_that_diverges_has_no_mean_and_the_others_stand(tmp_path):
    outcome = start(tmp_path, "optimizer.lr=0.1,1e30", "norm=none", "trainer.fuse=off")
    assert (outcome.exit_code, outcome.result["status"], outcome.result["complete"]) == (3, "diverged", False)
    good, bad = outcome.result["settings"]
    assert (good["overrides"], good["complete"]) == ({"optimizer.lr": 0.1}, True)
    assert (bad["status"], bad["mean"], bad["value"]) == ("diverged", {}, None)
    assert (outcome.result["picked_among"], outcome.result["comparisons"]) == (1, [])


def test_every_seed_of_every_fold_is_recorded(seeds):
    result, folder = seeds.result, folder_of(seeds)
    assert (result["status"], result["seeds"], result["k"]) == ("finished", [0, 1, 2, 3], 3)
    places = [(record["repeat"], record["fold"], record["seed"]) for record in result["folds"]]
    assert places == [(0, fold, seed) for fold in range(3) for seed in range(4)]
    assert len({child.config["seed"] for child in folder.children()}) == 12
    table = np.array([record["metrics"]["val/loss"] for record in result["folds"]]).reshape(3, 4)
    assert result["mean"]["val/loss"] == pytest.approx(table.mean())
    assert result["std"]["val/loss"] == pytest.approx(table.mean(1).std(ddof=1))
    # a loss is not negative: on the scale of logarithms
    factor = np.exp(stats.t.ppf(0.975, 2) * table.mean(1).std(ddof=1) / np.sqrt(3) / table.mean())
    assert result["interval"]["val/loss"] == pytest.approx([table.mean() / factor, table.mean() * factor])
    assert result["std_seeds"]["val/loss"] == pytest.approx(np.sqrt(table.var(1, ddof=1).mean()))


def test_pooled_predictions_have_a_row_an_example_and_average_the_probabilities(seeds):
    folder = folder_of(seeds)
    stored = folder.predictions("val")
    assert len(set(stored["id"].tolist())) == len(stored["id"]) == 142
    said = {}
    for child in folder.children():
        part = child.predictions("val")
        shares = torch.from_numpy(part["output"]).softmax(-1).numpy()
        for id, share in zip(part["id"].tolist(), shares, strict=True):
            said.setdefault(id, []).append(share)
    pooled = torch.from_numpy(stored["output"]).softmax(-1).numpy()
    for id, share in zip(stored["id"].tolist(), pooled, strict=True):
        assert len(said[id]) == 4
        assert share == pytest.approx(np.mean(said[id], axis=0), abs=1e-5)


def test_seeds_times_folds_train_as_each_alone(seeds):
    for child in folder_of(seeds).children()[::3]:
        assert "batched" in (child.path / "log.txt").read_text()
        assert_as_alone(child)


def test_one_seed_of_several_is_the_cv_of_that_seed(tmp_path, seeds):
    alone = start(tmp_path, "seed=2", "trainer.fuse=off")
    theirs = [record for record in seeds.result["folds"] if record["seed"] == 2]
    for mine, other in zip(alone.result["folds"], theirs, strict=True):
        assert mine["metrics"]["val/loss"] == pytest.approx(other["metrics"]["val/loss"], abs=1e-4)
    assert "std_seeds" not in alone.result


def test_a_program_that_is_killed_in_the_middle_goes_on_inside(tmp_path, monkeypatch):
    fused = [THREE, "trainer.fuse=9"]
    expected = plain(start(tmp_path / "whole", *fused).result)
    train_group, epochs = group_job.train_group, []

    def cut_off(group, should_stop, limits):
        for told in train_group(group, should_stop, limits):
            yield told
            epochs.append(isinstance(told[1], EpochEnd))
            if sum(epochs) == 7:
                raise KeyboardInterrupt

    monkeypatch.setattr(group_job, "train_group", cut_off)
    with pytest.raises(KeyboardInterrupt):
        start(tmp_path / "cut", *fused)
    monkeypatch.undo()
    assert (
        plain(cv.resume("last", tmp_path / "cut", announce=lambda _: lambda _: None, has_figures=False).result)
        == expected
    )


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["optimizer.lr=interval(0.1,1)"], r"list values \(optimizer.lr=a,b\), or use cv=nested or dlexp sweep"),
        (["data.val_fraction=0.1,0.2"], "data.val_fraction: has no effect; the folds take turns"),
        (["data.split_seed=0,1"], "settings share their examples: run dlexp cv for each"),
        (["cv.repeats=1,2"], "what a sweep or cv is run with cannot be searched"),
        (["search=random"], "search: has no effect; cv=nested and `dlexp sweep` read it"),
        (["optimizer.lr=0.1,0.2", "search.trials=3"], "search.trials: has no effect"),
        (["trainer.batch_size=16,1000"], "trainer.batch_size=1000: .*the training part has"),
        (["optimizer.lr=0.1,-1"], "optimizer.lr: got -1"),
    ],
)
def test_refusals(tmp_path, overrides, message):
    given = [text for text in QUICK if text.partition("=")[0] not in {o.partition("=")[0] for o in overrides}]
    with pytest.raises(ConfigError, match=message):
        cv.start(
            [*given, *overrides, f"runs_dir={tmp_path}"], announce=lambda _about: lambda _end: None, has_figures=False
        )
    assert scan.run_paths(tmp_path) == []
