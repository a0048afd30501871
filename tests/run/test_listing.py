import math

import pytest

from dlexp.error import ConfigError, RunError
from dlexp.run.environment import now
from dlexp.run.folder import RunFolder
from dlexp.run.listing import columns, list_runs


def add(runs_dir, value, *, experiment="digits", metric="val/accuracy", **params):
    described = {"kind": "train", "params": {"model": "mlp", "data": "digits", **params}}
    folder = RunFolder.create(runs_dir, experiment, "x", config={}, overrides=[], manifest=described)
    metrics = {} if value is None else {metric: value, "train/loss": 0.5}
    folder.write_result({"kind": "train", "metrics": metrics, "epochs": 3, "seconds": 1.5})
    folder.update_manifest(status="finished", end=now())
    folder.unlock()
    return folder.run_id


def ids(records):
    return [record["run_id"] for record in records]


def test_best_first_whatever_is_lacking_last(tmp_path):
    low, none, high, nan = (add(tmp_path, value) for value in (0.5, None, 0.9, math.nan))
    assert ids(list_runs(tmp_path))[:2] == [high, low]
    assert set(ids(list_runs(tmp_path))[2:]) == {none, nan}
    assert ids(list_runs(tmp_path, sort="-metrics.val/accuracy"))[:2] == [low, high]


def test_an_error_measure_is_best_when_low(tmp_path):
    high, low = add(tmp_path, 3.0, metric="val/rmse"), add(tmp_path, 1.0, metric="val/rmse")
    assert ids(list_runs(tmp_path)) == [low, high]


def test_params_are_sorted_as_numbers(tmp_path):
    ten, two = add(tmp_path, 0.5, lr=10), add(tmp_path, 0.5, lr=2)
    assert ids(list_runs(tmp_path, sort="params.lr")) == [two, ten]
    assert ids(list_runs(tmp_path, sort="-params.lr")) == [ten, two]


def test_only_columns_that_differ(tmp_path):
    add(tmp_path, 0.5, lr=0.1)
    assert columns(list_runs(tmp_path)) == [
        "run_id",
        "status",
        "slug",
        "metrics.val/accuracy",
        "metrics.train/loss",
        "epochs",
        "seconds",
    ]
    add(tmp_path, 0.6, lr=0.2)
    assert "params.lr" in columns(list_runs(tmp_path))
    assert not {"params.model", "params.data", "slug", "experiment"} & set(columns(list_runs(tmp_path)))
    add(tmp_path, 0.6, experiment="other", lr=0.2)
    assert "experiment" in columns(list_runs(tmp_path))


def test_filter_and_experiment(tmp_path):
    add(tmp_path, 0.5)
    high = add(tmp_path, 0.9, experiment="other")
    assert ids(list_runs(tmp_path, filter="metrics.val/accuracy > 0.6")) == [high]
    assert ids(list_runs(tmp_path, experiment="other")) == [high]
    with pytest.raises(RunError, match="did you mean digits"):
        list_runs(tmp_path, experiment="digts")


@pytest.mark.parametrize("sort", ["", "-", "accuracy", "metrics.", "val/accuracy"])
def test_a_bad_sort_is_told_what_is_allowed(tmp_path, sort):
    with pytest.raises(ConfigError, match=r"--sort: got .*; choose metrics\.NAME"):
        list_runs(tmp_path, sort=sort)


def test_no_runs(tmp_path):
    assert list_runs(tmp_path / "nowhere") == []
    assert columns([])[:2] == ["run_id", "status"]
