"""Held-out examples that a run before was trained on: told by a training and a sweep, refused by a cross-validation."""

import json
from pathlib import Path

import pytest
import torch

from dlexp.build.dataset import load_data
from dlexp.config.resolve import resolve
from dlexp.execution.origin.ancestry import ancestors, seen_before, warn_of_seen
from dlexp.run import scan
from tests.command import run

TINY = ("model.widths=[4]", "trainer.epochs=1", "tracking=none", "trainer.threads=1")


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """Return a folder with two runs, of which the second began with the weights of the first."""
    place = tmp_path_factory.mktemp("place")
    for more in ((), ("init_from=last", "data.split_seed=1")):
        done = run(place, "train", *TINY, *more)
        assert done.returncode == 0, done.stderr
    return place


@pytest.fixture
def here(place, monkeypatch) -> Path:
    monkeypatch.chdir(place)
    return place


def config_of(path: Path, *more: str):
    return resolve([f"init_from.run={path / 'checkpoints' / 'best' / 'weights.safetensors'}", *more]).config


def test_the_runs_before_and_what_they_saw(here):
    first, second = scan.run_paths(here / "runs")
    config = config_of(second, "data.split_seed=2")
    assert [folder.path for folder in ancestors(config)] == [second, first]
    data = load_data(config)
    by_hand = [load_data(resolve([f"data.split_seed={seed}"]).config).train for seed in (1, 0)]
    seen = seen_before(config, data)
    assert [torch.equal(each.rows, rows) for each, rows in zip(seen, by_hand, strict=True)] == [True, True]
    num = len(set(data.val.tolist()) & set(by_hand[0].tolist()))
    assert 0 < num == seen[0].count(data.val)
    assert warn_of_seen(config, data)[0].startswith(
        f"init_from: run {second.name.partition('-')[0]} was trained on {num} of the 359 validation examples and "
    )


def test_equal_parts_and_other_data_are_no_leak(here):
    first, _ = scan.run_paths(here / "runs")
    assert warn_of_seen(config_of(first), load_data(config_of(first))) == []
    other = config_of(first, "data=wine")
    assert seen_before(other, load_data(other)) == []
    assert seen_before(resolve([]).config, load_data(other)) == []


def test_a_training_and_a_sweep_say_it_in_a_line_and_go_on(here):
    first, second = scan.run_paths(here / "runs")
    assert "was trained on" in (second / "log.txt").read_text()
    ref = first.name.partition("-")[0]
    done = run(here, "sweep", *TINY, f"init_from=null,{ref}", "data.split_seed=1", "trainer.fuse=off")
    assert done.returncode == 0, done.stderr
    assert " ".join(done.stdout.split()).count(f"warning init_from: run {ref} was trained on") == 1
    sweep = scan.find(here / "runs", "last")
    begun = [child.manifest.get("init_from", {}).get("run") for child in sweep.children()]
    assert sorted(begun, key=str) == [ref, None]
    inside = config_of(sweep.children()[0].path, "data.split_seed=2")
    assert seen_before(inside, load_data(inside))[0].count(load_data(inside).val) > 0, "of a trial by its configuration"


def test_a_cross_validation_on_what_was_seen_is_refused(here):
    first, _ = scan.run_paths(here / "runs")[:2]
    done = run(here, "cv", *TINY, f"init_from={first}", "cv.k=2")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "that the folds hold out: their scores would be flattered; pre-train on other data" in done.stderr


def test_an_audit_says_that_first_weights_know_what_folds_hold_out(tmp_path):
    small = ("data=iris", "model.widths=[4]", "tracking=none", "trainer.threads=1")
    assert run(tmp_path, "train", *small, "task=reconstruct", "trainer.epochs=1").returncode == 0
    audited = json.loads(run(tmp_path, "cv", "--audit", "--json", *small, "init_from=last", "cv.k=2").stdout)
    assert not audited["clean"]
    assert not any(fold["in_both"] or fold["changed"] for fold in audited["folds"])
    (line,) = audited["findings"]
    assert line.endswith("that the folds hold out, without their targets: scores may be flattered")
