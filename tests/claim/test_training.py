"""Values of trainings: differences seed by seed, epochs, and what a diverged training counts as."""

import json
from typing import Any

import pytest

from dlexp.claim.recipe import Setting, Training
from dlexp.claim.training import train

SMALL = ["data=digits", "data.limit=100", "model.widths=[8]", "trainer.epochs=2"]


def training(*settings: list[str], value: Any = "train/accuracy", epoch: Any = "last") -> Training:
    named: list[Setting] = [{"name": str(number), "overrides": each} for number, each in enumerate(settings)]
    return {"common": SMALL, "settings": named, "value": value, "epoch": epoch}


def histories(folder):
    return sorted(folder.rglob("metrics.jsonl"), key=lambda path: path.parent.name)


def test_the_last_epoch_of_each_seed(tmp_path):
    trained = train(training([]), 2, tmp_path)
    seen = trained.values
    last = [json.loads(path.read_text().splitlines()[-1])["train/accuracy"] for path in histories(tmp_path)]
    assert sorted(seen) == sorted(last)
    assert [run[-1]["train/accuracy"] for run in trained.curves["0"]] == seen


def test_a_difference_is_taken_seed_by_seed(tmp_path):
    first, second = ([f"optimizer.lr={lr}"] for lr in (0.1, 0.01))
    alone = [train(training(each), 2, tmp_path).values for each in (first, second)]
    together = train(training(first, second), 2, tmp_path).values
    assert together == [a - b for a, b in zip(*alone, strict=True)]


def test_a_training_that_diverged_counts_as_a_guess(tmp_path):
    (seen,) = train(training(["norm=none", "optimizer.lr=1e20"], value="val/accuracy"), 1, tmp_path).values
    assert seen == pytest.approx(0.1, abs=0.02)
