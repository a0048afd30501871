import math
from typing import Any

import pytest

from dlexp.error import ConfigError, RunError
from dlexp.run.environment import now
from dlexp.run.folder import RunFolder
from dlexp.run.listing import note
from dlexp.run.listing.ranking import rank, records_of
from dlexp.run.scan import find


def add(runs_dir, value, *, experiment="digits", metric="val/accuracy", kind="train", on=None, **params):
    described = {"kind": kind, "validated_on": on, "packages": {}}
    described["params"] = {"model": "mlp", "data": "digits", **params}
    folder = RunFolder.create(runs_dir, experiment, "x", config={}, overrides=[], manifest=described)
    metrics = {} if value is None else {metric: value, "train/loss": 0.5}
    folder.write_result({"kind": kind, "metrics": metrics, "epochs": 3, "seconds": 1.5})
    folder.update_manifest(status="finished", end=now())
    folder.unlock()
    return folder.run_id


def judged(runs_dir, value, metric):
    run_id = add(runs_dir, value, metric=metric)
    find(runs_dir, run_id).update_manifest(monitor={"metric": metric})
    return run_id


def ids(records):
    return [record["run_id"] for record in records]


def test_best_first_whatever_is_lacking_last(tmp_path):
    low, none, high, nan = (add(tmp_path, value) for value in (0.5, None, 0.9, math.nan))
    assert ids(records_of(rank(tmp_path)))[:2] == [high, low]
    assert set(ids(records_of(rank(tmp_path)))[2:]) == {none, nan}
    assert ids(records_of(rank(tmp_path, sort="-metrics.val/accuracy")))[:2] == [low, high]


def test_an_error_measure_is_best_when_low(tmp_path):
    high, low = add(tmp_path, 3.0, metric="val/rmse"), add(tmp_path, 1.0, metric="val/rmse")
    assert ids(records_of(rank(tmp_path))) == [low, high]


def test_params_are_sorted_as_numbers(tmp_path):
    ten, two = add(tmp_path, 0.5, lr=10), add(tmp_path, 0.5, lr=2)
    assert ids(records_of(rank(tmp_path, sort="params.lr"))) == [two, ten]
    assert ids(records_of(rank(tmp_path, sort="-params.lr"))) == [ten, two]


def test_filter_and_experiment(tmp_path):
    add(tmp_path, 0.5)
    high = add(tmp_path, 0.9, experiment="other")
    assert ids(records_of(rank(tmp_path, filter="metrics.val/accuracy > 0.6"))) == [high]
    assert ids(records_of(rank(tmp_path, experiment="other"))) == [high]
    with pytest.raises(RunError, match="did you mean digits"):
        records_of(rank(tmp_path, experiment="digts"))


def test_a_metric_or_param_that_no_run_has_is_told(tmp_path):
    assert rank(tmp_path, filter="metrics.val/acc > 0.6") == []  # there is nothing to know it by
    add(tmp_path, 0.5, lr=0.1)
    near = r"--filter: got metrics\.val/acc; no run has it; did you mean metrics\.val/accuracy\?"
    for filter in ("metrics.val/acc > 0.6", "status = finished or (params.lr = 1 and metrics.val/acc > 0)"):
        with pytest.raises(ConfigError, match=near):
            rank(tmp_path, filter=filter)
    with pytest.raises(ConfigError, match=r"--sort: got params\.rl; no run has it; did you mean params\.lr\?"):
        rank(tmp_path, sort="-params.rl")


@pytest.mark.parametrize("sort", ["", "-", "accuracy", "metrics.", "val/accuracy"])
def test_a_bad_sort_is_told_what_is_allowed(tmp_path, sort):
    with pytest.raises(ConfigError, match=r"--sort: got .*; choose metrics\.NAME"):
        records_of(rank(tmp_path, sort=sort))


def test_runs_on_other_data_are_ranked_apart_the_newest_experiment_first(tmp_path):
    add(tmp_path, 0.99, experiment="digits")
    worse, better = (add(tmp_path, value, experiment="price", metric="val/rmse") for value in (9.0, 2.0))
    rankings = rank(tmp_path)
    assert [ranking.experiment for ranking in rankings] == ["price", "digits"]
    assert [ranking.sort for ranking in rankings] == ["metrics.val/rmse", "metrics.val/accuracy"]
    assert ids(rankings[0].records) == [better, worse]


def test_in_another_order_than_a_metrics_all_stand_together(tmp_path):
    first, second, third = (add(tmp_path, 0.5, experiment=name) for name in ("b", "a", "b"))
    for second_of_minute, run_id in enumerate(
        (first, second, third)
    ):  # made within one tick of the clock they would tie
        find(tmp_path, run_id).update_manifest(start=f"2026-01-01T00:00:0{second_of_minute}.000+00:00")
    ranking = rank(tmp_path, sort="-start")[0].limited(2)
    assert (ranking.experiment, ids(ranking.records), ranking.hidden) == (None, [third, second], 1)
    assert ids(rank(tmp_path, sort="start")[0].records) == [first, second, third]


def test_a_limit_holds_for_each_experiment(tmp_path):
    for experiment in ("a", "a", "a", "b"):
        add(tmp_path, 0.5, experiment=experiment)
    rankings = [ranking.limited(2) for ranking in rank(tmp_path)]
    assert {ranking.experiment: (len(ranking.records), ranking.hidden) for ranking in rankings} == {
        "a": (2, 1),
        "b": (1, 0),
    }


def test_by_value_runs_that_are_judged_alike_can_be_sorted(tmp_path):
    low, high = (judged(tmp_path, value, "val/rmse") for value in (1.0, 3.0))
    assert ids(rank(tmp_path, sort="value")[0].records) == [low, high]
    judged(tmp_path, 0.9, "val/accuracy")
    with pytest.raises(ConfigError, match=r"judged by val/accuracy, val/rmse, so choose metrics\.NAME"):
        rank(tmp_path, sort="value")


def test_runs_on_other_validation_examples_are_ranked_apart(tmp_path):
    seed: Any = {"data.split_seed": 1}
    k: Any = {"cv.k": 3}
    low, high = add(tmp_path, 0.5, on="a", **{"data.drop": "x"}), add(tmp_path, 0.8, on="a")
    other, held_out = add(tmp_path, 0.9, on="b", **seed), add(tmp_path, 0.7, on="c", kind="cv", **k)
    twin, old = add(tmp_path, 0.6, on="d", **seed), add(tmp_path, 0.95)
    apart = {ranking.examples: ids(ranking.records) for ranking in rank(tmp_path)}
    assert apart == {
        "examples by default": [high, low],
        "data.split_seed=1, b": [other],
        "data.split_seed=1, d": [twin],
        "cross-validated cv.k=3": [held_out],
        "examples not recorded": [old],
    }
    assert {ranking.examples for ranking in rank(tmp_path, filter="validated_on = a")} == {""}
    assert len(rank(tmp_path, sort="metrics.val/accuracy")) == 5
    assert len(rank(tmp_path, sort="-start")) == 1  # no ranking


def test_a_tag_chooses_runs(tmp_path):
    add(tmp_path, 0.5)
    tagged = add(tmp_path, 0.4)
    note.write(find(tmp_path, tagged).path, note=None, add=["good"], remove=[])
    assert ids(rank(tmp_path, tag="good")[0].records) == [tagged]
    assert ids(records_of(rank(tmp_path, filter="tags = good and status = finished"))) == [tagged]
    assert rank(tmp_path, tag="other") == []


def test_no_runs(tmp_path):
    assert records_of(rank(tmp_path / "nowhere")) == []
    assert rank(tmp_path / "nowhere", sort="-start") == []


def with_losses(runs_dir, loss, val_loss, log_loss):
    run_id = add(runs_dir, val_loss, metric="val/loss", loss=loss)
    folder = find(runs_dir, run_id)
    folder.update_manifest(monitor={"metric": "val/loss"})
    folder.write_result({"kind": "train", "metrics": {"val/loss": val_loss, "val/log_loss": log_loss}})
    return run_id


def test_runs_of_different_losses_are_ranked_by_a_measure_that_is_the_same_for_all(tmp_path):
    worse, better = with_losses(tmp_path, "bce", 0.1, 0.9), with_losses(tmp_path, "cross_entropy", 0.5, 0.5)
    (ranking,) = rank(tmp_path)
    assert (ranking.sort, ids(ranking.records)) == ("metrics.val/log_loss", [better, worse])


def test_runs_of_one_loss_are_ranked_by_it(tmp_path):
    first, second = with_losses(tmp_path, "bce", 0.1, 0.9), with_losses(tmp_path, "bce", 0.5, 0.5)
    (ranking,) = rank(tmp_path)
    assert (ranking.sort, ids(ranking.records)) == ("metrics.val/loss", [first, second])
