"""Comparisons over seeds, of sweeps and of cvs of several settings, with made-up predictions."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlexp.error import RunError
from dlexp.job.compare import comparison as compare_job
from dlexp.job.compare.verdict import verdict
from dlexp.statistic.bootstrap import Bootstrap
from dlexp.statistic.sign_flip import fewest
from dlexp.statistic.t_test import differences_needed
from tests.job.compare import compared as made

TARGET = np.arange(400) % 3


def compare(names: list[str], runs_dir: Path, metric: str | None = None) -> Any:
    """Return the document as a reader of its JSON has it, whose fields depend on what is compared."""
    return compare_job.compare(names, runs_dir, metric)


def run(tmp_path: Path, draw: int, accuracy: float, **more) -> str:
    return made.write_run(tmp_path, made.logits(draw, TARGET, accuracy), TARGET, **more).run_id


def test_between_two_seeds_of_one_setting_there_is_no_winner(tmp_path):
    a, b = (run(tmp_path, seed, 0.95 - seed / 4, seed=seed, settings={"model": "cnn"}) for seed in (0, 1))
    (pair,) = compare([a, b], tmp_path)["pairs"]
    assert pair["p_value"] < 0.001
    assert (pair["verdict"], pair["same_setting"], pair["needed"]) == ("cannot tell", True, None)
    other = run(tmp_path, 2, 0.7, seed=1, settings={"model": "mlp"})
    (pair,) = compare([a, other], tmp_path)["pairs"]
    assert (pair["verdict"], "same_setting" in pair) == ("a", False)


def write_seeds(tmp_path: Path, accuracy: float, first: int, num: int, model: str) -> list[str]:
    """Return runs of one setting that differ in the seed."""
    draw = np.random.default_rng(first)
    return [
        run(tmp_path, first + seed, accuracy + 0.01 * draw.normal(), seed=seed, settings={"model": model})
        for seed in range(num)
    ]


def test_runs_that_differ_in_the_seed_only_stand_together(tmp_path):
    good, bad = write_seeds(tmp_path, 0.95, 100, 6, "cnn"), write_seeds(tmp_path, 0.7, 200, 6, "mlp")
    comparison = compare([*good, *reversed(bad)], tmp_path)
    (pair,) = comparison["pairs"]
    assert (pair["test"], pair["over"], pair["num"], pair["verdict"]) == ("sign flips", "seeds", 6, "a")
    assert pair["p_value"] == pair["smallest_p"] == 2 / 2**6
    assert [record["seeds"] for record in comparison["runs"]] == [list("012345")] * 2
    assert comparison["runs"][0]["run_ids"] == good
    assert pair["by_seed"][2] == pytest.approx(_accuracy(tmp_path, good[2]) - _accuracy(tmp_path, bad[2]))
    assert pair["interval"][0] <= min(pair["interval_seeds"][0], pair["interval_examples"][0])


def test_too_few_seeds_cannot_tell_and_say_how_many_would(tmp_path):
    good, bad = write_seeds(tmp_path, 0.95, 100, 4, "cnn"), write_seeds(tmp_path, 0.7, 200, 4, "mlp")
    (pair,) = compare([*good, *bad], tmp_path)["pairs"]
    assert (pair["verdict"], pair["smallest_p"], pair["needed"]) == ("cannot tell", 0.125, 2)


@pytest.mark.parametrize(("effect", "error"), [(1.2, 0.0), (1.5, 0.45)])
def test_as_many_seeds_as_stated_have_the_power_stated(effect, error):
    """Differences of deviation 1 over seeds, all moved together by examples of the standard error."""
    print("seed 43")
    draw = np.random.default_rng(43)
    needed = differences_needed(effect, error**2)
    assert needed is not None
    wins = 0
    for moved in effect + error * draw.normal(size=400):
        differences = moved + draw.normal(size=max(needed, fewest()))
        mean = differences.mean()
        span = Bootstrap(mean - 1.96 * error, mean + 1.96 * error, 0, error)
        pair = compare_job._over_seeds(differences, span, 1, 0.0)
        wins += verdict(pair["interval"], pair["p_value"], is_high_better=True) == "a"
    print(f"{needed} seeds, power {wins / 400:.3f}")
    assert 0.74 < wins / 400 < 0.88


def test_other_seeds_of_the_same_setting_are_paired_in_order(tmp_path):
    a, b = (write_seeds(tmp_path, 0.85, first, 3, "cnn") for first in (100, 200))
    comparison = compare([*a, *b], tmp_path)
    assert len(comparison["runs"]) == 6  # seeds 0, 1, 2 twice: which belong together is not known


def test_seeds_are_not_joined_where_settings_have_unequally_many(tmp_path):
    a, b = write_seeds(tmp_path, 0.85, 100, 3, "cnn"), write_seeds(tmp_path, 0.85, 200, 2, "mlp")
    assert len(compare([*a, *b], tmp_path)["runs"]) == 5


def write_sweep(tmp_path: Path, accuracies: list[float], seeds: int, first: int):
    return made.write_sweep(tmp_path, TARGET, accuracies, seeds, first)


def test_sweeps_by_their_best_setting_over_its_seeds(tmp_path):
    good, bad = write_sweep(tmp_path, [0.6, 0.95], 6, 100), write_sweep(tmp_path, [0.7, 0.5], 6, 300)
    comparison = compare([good.run_id, bad.run_id], tmp_path)
    (pair,) = comparison["pairs"]
    assert (pair["verdict"], pair["over"], pair["num"]) == ("a", "seeds", 6)
    assert [record["label"] for record in comparison["runs"]] == [
        f"{good.run_id} optimizer.lr=0.2 (6 seeds)",
        f"{bad.run_id} optimizer.lr=0.1 (6 seeds)",
    ]
    assert sum("picked as the best of 2" in note for note in comparison["notes"]) == 2


def test_settings_of_one_sweep_by_their_places(tmp_path):
    sweep = write_sweep(tmp_path, [0.6, 0.95], 1, 100)
    (pair,) = compare([f"{sweep.run_id}:1", f"{sweep.run_id[:9]}:2"], tmp_path)["pairs"]
    assert (pair["a"], pair["verdict"], pair["test"]) == (f"{sweep.run_id}:1", "a", "McNemar")
    with pytest.raises(RunError, match="got the place 3 of 2 settings with a value"):
        compare([f"{sweep.run_id}:1", f"{sweep.run_id}:3"], tmp_path)
    with pytest.raises(RunError, match="two are the same runs"):
        compare([sweep.run_id, f"{sweep.run_id}:1"], tmp_path)
    with pytest.raises(RunError, match="only sweeps and cvs"):
        compare([f"{run(tmp_path, 1, 0.9)}:1", sweep.run_id], tmp_path)


def test_a_sweep_against_a_run_and_a_trial(tmp_path):
    sweep, alone = write_sweep(tmp_path, [0.6, 0.95], 1, 100), run(tmp_path, 7, 0.6)
    assert compare([sweep.run_id, alone], tmp_path)["pairs"][0]["verdict"] == "a"
    worst = str(sweep.children()[0].path)
    assert compare([worst, alone], tmp_path)["pairs"][0]["verdict"] == "cannot tell"
    many = write_sweep(tmp_path, [0.9], 3, 500)
    with pytest.raises(RunError, match="3 and 1 seed; equally many"):
        compare([many.run_id, alone], tmp_path)


def test_a_sweep_that_was_moved(tmp_path):
    sweep, alone = write_sweep(tmp_path / "a", [0.95], 1, 100), run(tmp_path / "b", 7, 0.6)
    sweep.path.rename(tmp_path / "b" / "made-up" / sweep.path.name)
    assert compare([sweep.run_id, alone], tmp_path / "b")["pairs"][0]["verdict"] == "a"


def test_cvs_over_seeds_by_the_mean_score_of_a_fold(tmp_path):
    good, bad = (made.write_cv(tmp_path, first, rate, seeds=3) for first, rate in ((100, 0.95), (500, 0.7)))
    (pair,) = compare([good.run_id, bad.run_id], tmp_path)["pairs"]
    assert (pair["verdict"], pair["num"], pair["over"]) == ("a", 5, "folds")
    single = made.write_cv(tmp_path, 900, 0.9)
    assert compare([good.run_id, single.run_id], tmp_path)["runs"][0]["seeds"] == ["0", "1", "2"]


def test_cvs_of_several_settings_by_place(tmp_path):
    parent = made.write_settings(tmp_path, [0.95, 0.7])
    (pair,) = compare([f"{parent.run_id}:2", f"{parent.run_id}:1"], tmp_path)["pairs"]
    assert (pair["verdict"], pair["test"]) == ("b", "corrected resampled t")
    comparison = compare([parent.run_id, made.write_cv(tmp_path, 900, 0.5).run_id], tmp_path)
    assert comparison["pairs"][0]["verdict"] == "a"
    assert "best of 2 settings" in comparison["notes"][0]


def _accuracy(tmp_path: Path, run_id: str) -> float:
    path = next((tmp_path / "made-up").glob(f"{run_id}-*/predictions/val.npz"))
    with np.load(path) as arrays:
        return float((arrays["output"].argmax(1) == arrays["target"]).mean())
