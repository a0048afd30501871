"""A sweep's result: its status, the winner with mean and ties, and every trial in the order asked."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch

from dlexp.build.components import Components
from dlexp.build.dataset import load_data
from dlexp.config.dimension import Dimension
from dlexp.config.resolve import resolve
from dlexp.data.dataset import Dataset
from dlexp.job.sweep import result as module
from dlexp.job.sweep.leaderboard import rank
from dlexp.job.sweep.result import beside_a_guess, summarize
from dlexp.job.sweep.trial import TrialResult
from dlexp.run.folder import RunFolder
from dlexp.search.strategy import Proposal
from tests.job.sweep.untrained import untrained

LR = Dimension("optimizer.lr", "", low=1e-4, high=10.0, is_log=True)


@pytest.fixture(autouse=True)
def _no_bias(monkeypatch):
    """The optimism of having been picked needs stored predictions; its own tests hold it."""
    monkeypatch.setattr(module, "selection_bias", lambda ranking, metric: {"picked_among": len(ranking)})


def ended(number: int, value: float | None, seed: int | None = None) -> TrialResult:
    settings = {LR.key: 10.0 ** (number - 2)}
    overrides = settings | ({} if seed is None else {"seed": seed})
    trial = SimpleNamespace(proposal=Proposal(number, settings), seed=seed, id=f"{number}-{seed}", overrides=overrides)
    trial.composed = SimpleNamespace(overrides=[f"{key}={text}" for key, text in overrides.items()], config_dir=None)
    trial.round = 1
    folder, status = RunFolder(Path(f"trials/{number}-{seed}")), "failed" if value is None else "finished"
    return TrialResult(cast(Any, trial), folder, status, value, {}, 2, 1.0, "" if value else "no")


def result_of(results: list[TrialResult], why: str = "") -> Any:
    invalid = SimpleNamespace(record=lambda: {"number": 1, "status": "invalid"})
    composed = SimpleNamespace(choices={"search": "grid"}, overrides=[], config_dir=None)
    space = SimpleNamespace(dimensions=[LR])
    first = SimpleNamespace(dataset=load_data(resolve(["data=iris"]).config))
    spec = SimpleNamespace(
        composed=composed, space=space, metric="val/accuracy", is_high_better=True, invalid=[invalid], first=first
    )
    trials = SimpleNamespace(programs=[{"size": 1, "engine": "solo"}])
    loop = SimpleNamespace(why=why, trials=trials, notes=["moved"], depends_on_timing=False, in_order=lambda: results)
    folder = SimpleNamespace(run_id="s", path=Path("sweep"))
    ranking = rank(results, is_high_better=True)
    return summarize(cast(Any, spec), cast(Any, folder), cast(Any, loop), ranking, 1.23456)


def test_the_winner_and_the_spread_over_settings():
    result = result_of([ended(0, 0.5), ended(2, 0.9), ended(3, None)])
    best = result["best"]
    assert (best["value"], best["overrides"], best["seeds"], best["picked_among"]) == (0.9, {LR.key: 1.0}, 1, 3)
    metrics = result["metrics"]
    assert metrics["sweep/best"] == 0.9
    assert metrics["sweep/mean"] == pytest.approx(0.7)
    assert metrics["sweep/std"] == pytest.approx(0.4 / 2**0.5)
    assert metrics["sweep/count"] == 2
    assert (result["status"], result["mode"], result["strategy"]) == ("finished", "max", "grid")
    assert result["guess"]["val/accuracy"] == pytest.approx(1 / 3, abs=0.05)  # iris has 50 of each class
    assert (result["seconds"], result["moves"], result["groups"]) == (1.235, ["moved"], [{"size": 1, "engine": "solo"}])


def test_invalid_settings_stand_among_the_trials_in_the_order_asked():
    result = result_of([ended(0, 0.5), ended(2, None)])
    assert [record["number"] for record in result["trials"]] == [0, 1, 2]
    assert [record["status"] for record in result["trials"]] == ["finished", "invalid", "failed"]


def test_seeds_are_averaged_and_the_winner_s_record_is_that_of_the_first():
    result = result_of([ended(0, 0.6, 0), ended(0, 0.8, 1), ended(2, 0.9, 0), ended(2, 0.1, 1)])
    best = result["best"]
    assert (best["value"], best["seeds"], best["run_id"]) == (pytest.approx(0.7), 2, "0-0")
    assert best["std"] == pytest.approx(0.2 / 2**0.5)


@pytest.mark.parametrize(
    ("values", "why", "status"),
    [
        ([0.5], "", "finished"),
        ([0.5], "interrupted", "interrupted"),
        ([0.5], "search.max_seconds=1 are over", "stopped_early"),
        ([None], "", "failed"),
        ([None], "2 trials failed or diverged: search.stop_after_failures", "failed"),
        ([None], "interrupted", "interrupted"),
        ([], "", "failed"),
    ],
)
def test_status(values, why, status):
    result = result_of([ended(number, value) for number, value in enumerate(values)], why)
    assert result["status"] == status
    assert (result["best"] is None) == (not any(values))


def guessed(value: float, **corrected: Any) -> list[str]:
    # of 100 examples 60 are of the class that is most frequent in the training part: error sqrt(0.24 / 100) = 0.049
    targets = torch.tensor([1] * 60 + [0] * 40)
    rows = torch.arange(100)
    data = Dataset("d", "binary", torch.zeros(100, 1), targets, rows, rows, rows[:0], ["a", "b"])
    made = untrained(0, value)
    trial = replace(made.trial, components=Components({}, data))
    ranked = [replace(made, trial=trial, metrics={"val/accuracy": value})]
    result = cast(Any, {"best": corrected, "metric": "val/accuracy"})
    return beside_a_guess(rank(ranked, is_high_better=True), result)


def test_a_winner_that_is_no_better_than_guessing_is_said_to_be_so():
    assert guessed(0.75) == []
    (line,) = guessed(0.69)
    assert line.startswith("the best setting's val/accuracy 0.6900 is no better than guessing the most frequent class")
    (line,) = guessed(0.75, corrected=0.68)  # the best of many by luck
    assert "val/accuracy 0.6800" in line
    assert beside_a_guess([], cast(Any, {"best": None})) == []
