"""What MLflow's page says of a run in words."""

from types import SimpleNamespace
from typing import Any, cast

from dlexp.tracking.note import MOST_LINKS, describe

LINKS = {f"run{k}": f"#/experiments/1/runs/{k}" for k in range(50)}
END = "`dlexp x`\n\nRun folder: `/runs/x`"


def said(kind, result):
    folder = cast(Any, SimpleNamespace(result=result, path="/runs/x"))
    return describe(folder, {"kind": kind, "command": "dlexp x"}, LINKS)


def test_a_run_says_how_it_was_made():
    assert said("train", None) == END
    assert said("sweep", {"best": None}) == END


def test_the_winner_of_several_seeds_is_their_mean_and_each_is_linked():
    trials = [{"number": 3, "run_id": f"run{k}", "overrides": {"optimizer.lr": 0.1}} for k in range(2)]
    best = {"number": 3, "value": 0.95}
    first = said("sweep", {"best": best, "trials": trials, "metric": "val/accuracy"}).splitlines()[0]
    assert first == (
        "**Winner: [run0](#/experiments/1/runs/0), [run1](#/experiments/1/runs/1)** `optimizer.lr=0.1`: "
        "val/accuracy **0.9500**, the mean of 2 seeds"
    )


def test_the_best_setting_of_a_cv_is_linked_and_one_that_lies_elsewhere_is_named():
    best = {"run_id": "run4", "overrides": {"model.depth": 2}, "value": 0.5}
    result = {"settings": [best], "metric": "val/rmse"}
    assert said("cv", result).startswith(
        "**Best setting: [run4](#/experiments/1/runs/4)** `model.depth=2`: val/rmse **0.5000** over the folds"
    )
    assert "**Best setting: away**" in said("cv", {**result, "settings": [{**best, "run_id": "away"}]})


def test_folds_are_counted_from_1_and_the_rest_is_left_out():
    folds = [{"repeat": 0, "fold": k, "run_id": f"run{k}"} for k in range(40)]
    result = {
        "metric": "val/loss",
        "folds": folds,
        "mean": {"val/loss": 0.25},
        "std": {"val/loss": 0.125},
        "interval_corrected": {"val/loss": [0.125, 0.5]},
    }
    first, _, second, *_ = said("cv", result).splitlines()
    assert first == "**val/loss 0.2500** ± 0.1250 over 40 folds, 95 % interval 0.1250 to 0.5000"
    assert second.startswith("Folds (repeat.fold): [1.1](#/experiments/1/runs/0), [1.2]")
    assert second.endswith(", ...")
    assert second.count("[") == MOST_LINKS
