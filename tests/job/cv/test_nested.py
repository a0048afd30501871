"""Nested cross-validation: what an outer fold holds out moves neither the choice nor any fitted number."""

import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from dlexp.build.dataset import load_data
from dlexp.build.program import assemble
from dlexp.data.dataset import Dataset
from dlexp.data.fold import Fold
from dlexp.engine.event import EpochEnd
from dlexp.error import ConfigError
from dlexp.execution import fusion
from dlexp.execution import group as groups
from dlexp.execution.dispatcher import ENGINES
from dlexp.job.cv import cv
from dlexp.job.cv.audit import perturb
from dlexp.job.cv.document import AnyCVResult
from dlexp.job.cv.nested import InnerChoice
from dlexp.job.outcome import Outcome
from dlexp.run import scan
from dlexp.run.folder import RunFolder
from tests.fault.bits import bits_of_run
from tests.job.cv.ends import only_ends

QUICK = ["trainer.epochs=2", "trainer.batch_size=16", "model.widths=[8]", "tracking=none"]
NESTED = [*QUICK, "cv=nested", "cv.k=2", "cv.inner_k=2"]
GRID = "optimizer.lr=0.00001,0.03,0.1"


def start(runs_dir: Path, *overrides: str, announce=lambda _about: lambda _end: None) -> Outcome[Any]:
    return cv.start([*NESTED, *overrides, f"runs_dir={runs_dir}"], announce=announce, has_figures=False)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return start(tmp_path_factory.mktemp("nested"), "data=wine", GRID, "trainer.fuse=off")


def plain(result: AnyCVResult) -> dict[str, Any]:
    text = json.loads(json.dumps(result))
    for record in [text, *text["folds"]]:
        for key in ("run_id", "run_dir", "seconds"):
            record.pop(key, None)
    return text


def folder_of(outcome) -> RunFolder:
    return RunFolder.open(Path(outcome.result["run_dir"]))


def kinds(folder: RunFolder) -> dict[str, list[RunFolder]]:
    by_kind: dict[str, list[RunFolder]] = {"fold": [], "trial": []}
    for child in folder.children():
        by_kind[child.manifest["kind"]].append(child)
    return by_kind


def test_each_fold_scores_what_its_own_search_chose(whole):
    result, children = whole.result, kinds(folder_of(whole))
    assert (whole.exit_code, result["status"], result["complete"], result["k"]) == (0, "finished", True, 2)
    assert (len(children["fold"]), len(children["trial"])) == (2, 2 * 3 * 2)
    scores: dict[tuple, list[float]] = {}
    for child in children["trial"]:
        place, config = child.manifest, child.config
        assert child.result is not None
        key = place["repeat"], place["fold"], config["optimizer"]["lr"]
        scores.setdefault(key, []).append(child.result["metrics"]["val/accuracy"])
    for searched, record in zip(result["searches"], result["folds"], strict=True):
        means = {key[2]: np.mean(values) for key, values in scores.items() if key[1] == searched["fold"]}
        assert searched["value"] == pytest.approx(max(means.values()))
        assert means[searched["chosen"]["optimizer.lr"]] == pytest.approx(max(means.values()))
        assert [entry["value"] for entry in searched["tried"]] == pytest.approx(sorted(means.values(), reverse=True))
        fold = folder_of(whole).child(record["run_id"])
        assert fold.config["optimizer"]["lr"] == searched["chosen"]["optimizer.lr"]
    assert sum(choice["count"] for choice in result["choices"]) == 2
    values = [record["metrics"]["val/accuracy"] for record in result["folds"]]
    assert result["mean"]["val/accuracy"] == pytest.approx(np.mean(values))
    trained = [child.manifest["seconds"] for folders in children.values() for child in folders]
    assert result["seconds"] == pytest.approx(sum(trained), abs=1e-3)


def test_no_inner_training_sees_what_its_fold_holds_out(whole):
    folder = folder_of(whole)
    children = kinds(folder)
    outer = {}
    for child in children["fold"]:
        with np.load(child.path / "split.npz") as split:
            outer[child.manifest["fold"]] = {part: set(split[part].tolist()) for part in ("train", "val", "test")}
    held = {}
    for child in children["trial"]:
        parts = outer[child.manifest["fold"]]
        with np.load(child.path / "split.npz") as split:
            train, val = set(split["train"].tolist()), set(split["val"].tolist())
        assert train | val == parts["train"]
        assert not train & val
        assert not (train | val) & (parts["val"] | parts["test"])
        held.setdefault((child.manifest["fold"], child.manifest["number"]), []).append(val)
        # the configuration alone says which rows these are
        assert set(load_data(child.config).val.tolist()) == val
    assert all(not first & second for first, second in held.values())


def test_a_winner_equals_the_same_setting_trained_alone(whole):
    for child in kinds(folder_of(whole))["fold"]:
        built = assemble(child.config)
        for _ in built.run.events():
            pass
        stored = load_file(child.checkpoints / "last" / "weights.safetensors")
        assert all(torch.equal(stored[name], value) for name, value in built.model.named_parameters())


@pytest.mark.parametrize("search", ["grid", "coarse_to_fine"])
def test_rows_that_an_outer_fold_holds_out_change_neither_choice_nor_fit(tmp_path, monkeypatch, search):
    """The searches of a fold and its winner, with its held-out rows as they are and changed beyond recognition."""
    zoomed = ["optimizer.lr=tag(log,interval(1e-4,1))", "search=coarse_to_fine", "search.trials=4", "search.rounds=2"]
    space = [GRID] if search == "grid" else zoomed
    honest = cv.prepare
    outcomes = []
    for name in ("as it is", "changed"):

        def prepare(*arguments, is_changed=name == "changed"):
            spec = honest(*arguments)
            fold = spec.folds[0]
            first_fold = [Fold(0, 0, fold.train, fold.val)]
            return replace(spec, dataset=_changed(spec.dataset, fold) if is_changed else spec.dataset, folds=first_fold)

        monkeypatch.setattr(cv, "prepare", prepare)
        monkeypatch.setattr(
            cv, "conclude_cv", lambda *_, **more: {"status": "finished", "chosen": more["searched"].chosen}
        )
        monkeypatch.setattr(cv, "_notes", lambda *_: [])
        chosen = start(tmp_path / name, "data=wine", *space, "trainer.fuse=off").result["chosen"]
        (run,) = scan.run_paths(tmp_path / name)
        children = kinds(RunFolder.open(run))
        weights = [load_file(c.checkpoints / "last" / "weights.safetensors") for c in _in_order(children["trial"])]
        weights += [load_file(c.checkpoints / "best" / "weights.safetensors") for c in children["fold"]]
        fitted = [json.loads((c.path / "model.json").read_text())["normalize"] for c in children["fold"]]
        scored = [c.predictions("val")["output"] for c in children["fold"]]
        outcomes.append(([choice.record() for choice in chosen], weights, fitted, scored))
    before, after = outcomes
    assert before[0] == after[0]
    assert len(before[1]) == len(after[1]) > 1
    assert all(torch.equal(a[key], b[key]) for a, b in zip(before[1], after[1], strict=True) for key in a)
    assert before[2] == after[2]
    assert not np.array_equal(before[3][0], after[3][0])


def _changed(dataset: Dataset, fold: Fold) -> Dataset:
    moved = perturb(dataset.with_parts(fold.train, fold.val))
    return replace(dataset, inputs=moved.inputs, targets=moved.targets)


def _in_order(trials: list[RunFolder]) -> list[RunFolder]:
    return sorted(trials, key=lambda child: (child.manifest["number"], child.manifest["inner"]))


@pytest.mark.parametrize("last", [9, pytest.param(13, marks=pytest.mark.slow)])
def test_a_nested_cv_is_interrupted_and_resumed(tmp_path, whole, last):
    told = []

    def announce(_about):
        def listen(event):
            told.append(event)
            if sum(not isinstance(event, InnerChoice) for event in told) == last:
                os.kill(os.getpid(), signal.SIGINT)

        return only_ends(listen)

    cut = start(tmp_path, "data=wine", GRID, "trainer.fuse=off", announce=announce)
    assert (cut.exit_code, cut.result["status"], cut.result["mean"]) == (130, "interrupted", {})
    new = []
    again = cv.resume("last", tmp_path, announce=lambda _about: only_ends(new.append), has_figures=False)
    assert sum(not isinstance(event, InnerChoice) and event.is_new for event in new) == 14 - last
    assert plain(again.result) == plain(whole.result)


def test_killed_inside_an_augmented_program_it_goes_on_by_the_stored_engine_to_the_bits_of_folds_alone(
    tmp_path, monkeypatch
):
    """Left alone, the clock chose solo; in the killed one it chose stacks. Going on changes neither engine nor bit."""
    images = ["model=cnn", "augment=flip_crop", "data.limit=90", "optimizer.lr=0.01,0.1"]
    monkeypatch.setattr(fusion, "shortest", lambda _calls: [1.0, 100.0])
    alone = start(tmp_path / "alone", *images)
    assert alone.result["status"] == "finished"
    monkeypatch.setattr(fusion, "shortest", lambda _calls: [1.0, 0.001])
    train_group, epochs = groups.train_group, []

    def cut_off(group, should_stop, limits):
        for told in train_group(group, should_stop, limits):
            yield told
            epochs.append(isinstance(told[1], EpochEnd))
            if sum(epochs) == 5:  # of eight inner trainings of two epochs
                raise KeyboardInterrupt

    with monkeypatch.context() as cut:
        cut.setattr(groups, "train_group", cut_off)
        with pytest.raises(KeyboardInterrupt):
            start(tmp_path / "cut", *images)
    folder = scan.find(tmp_path / "cut", "last")
    stored = json.loads((folder.path / ENGINES).read_text())
    assert {choice["engine"] for choice in stored.values()} == {"batched"}
    monkeypatch.setattr(fusion, "shortest", lambda _calls: [1.0, 100.0])
    again = cv.resume("last", tmp_path / "cut", announce=lambda _about: lambda _end: None, has_figures=False)
    assert stored.items() < json.loads((folder.path / ENGINES).read_text()).items(), "the winners' engine comes new"
    engines = {kind: {child.manifest["engine"] for child in kinds(folder)[kind]} for kind in ("trial", "fold")}
    assert engines == {"trial": {"batched"}, "fold": {"solo"}}
    assert plain(again.result) == plain(alone.result)
    assert bits_of_children(folder) == bits_of_children(folder_of(alone))


def bits_of_children(folder: RunFolder) -> list[dict[str, Any]]:
    """Return weights, history and predictions of every training of a cv."""
    children = [child for children in kinds(folder).values() for child in children]
    return sorted((bits_of_run(child.path) for child in children), key=lambda bits: json.dumps(bits, sort_keys=True))


def test_inner_trainings_that_a_power_cut_damaged_are_trained_anew(tmp_path, whole):
    def announce(_about):
        told = []

        def listen(event):
            told.append(event)
            if len(told) == 9:
                os.kill(os.getpid(), signal.SIGINT)

        return only_ends(listen)

    cut = start(tmp_path, "data=wine", GRID, "trainer.fuse=off", announce=announce)
    trials = [child for child in kinds(folder_of(cut))["trial"] if child.manifest["status"] == "finished"]
    (trials[0].path / "metrics.jsonl").write_text("")
    (trials[1].path / "manifest.json").write_text("")
    new = []
    again = cv.resume("last", tmp_path, announce=lambda _about: only_ends(new.append), has_figures=False)
    assert sum(not isinstance(event, InnerChoice) and event.is_new for event in new) == 14 - 9 + 2
    assert plain(again.result) == plain(whole.result)


def test_rounds_of_a_search_and_seeds_and_values(tmp_path):
    outcome = start(
        *(tmp_path, "data=diabetes", "optimizer.lr=tag(log,interval(1e-4,1e-2))", "seed=0,1"),
        *("search=coarse_to_fine", "search.trials=4", "search.rounds=2", "search.metric=val/mae"),
    )
    result = outcome.result
    assert (outcome.exit_code, len(result["folds"]), result["seeds"]) == (0, 4, [0, 1])
    for searched in result["searches"]:
        values = [entry["value"] for entry in searched["tried"]]
        assert values == sorted(values)  # the least error is best
        assert len(values) == 4
    trials = kinds(folder_of(outcome))["trial"]
    assert len(trials) == 2 * 4 * 2 * 2
    assert {child.config["trainer"]["epochs"] for child in trials} == {1, 2}
    assert "std_seeds" in result


def test_a_setting_that_fails_is_not_chosen_and_none_left_makes_it_incomplete(tmp_path):
    outcome = start(tmp_path / "one", "data=wine", "optimizer.lr=0.1,1e30", "norm=none", "trainer.fuse=off")
    assert outcome.result["complete"]
    assert outcome.result["choices"] == [{"overrides": {"optimizer.lr": 0.1}, "count": 2}]
    assert outcome.result["searches"][0]["tried"][1]["value"] is None
    nothing = start(tmp_path / "none", "data=wine", "optimizer.lr=1e29,1e30", "norm=none", "trainer.fuse=off")
    assert (nothing.exit_code, nothing.result["status"], nothing.result["mean"]) == (1, "failed", {})
    assert nothing.result["choices"] == []


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ([], "cv=nested: got nothing to search|nothing to search"),
        (["seed=0,1"], "cv=nested: got nothing to search"),
        ([GRID, "trainer.monitor=val/loss"], "must not choose its epoch: leave train/loss"),
        ([GRID, "search.max_seconds=3"], "search.max_seconds: has no effect with cv=nested"),
        ([GRID, "search=hyperband", "search.eta=2"], "with cv=nested choose grid, random or coarse_to_fine"),
        ([GRID, "search.metric=train/loss"], "cv=nested compares by what inner folds hold out"),
        ([GRID, "search.mode=min"], "search.mode: got min; val/accuracy is better when high"),
        (["optimizer.lr=interval(0.1,1)"], "search=grid needs listed values"),
    ],
)
def test_refusals(tmp_path, overrides, message):
    with pytest.raises(ConfigError, match=message):
        start(tmp_path, "data=wine", *overrides)
    assert scan.run_paths(tmp_path) == []
