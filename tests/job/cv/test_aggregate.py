"""What folds say together."""

import math
from typing import Any, cast

import numpy as np
import pytest

from dlexp.job.cv import aggregate
from dlexp.run.document import FoldRecord


def summarize(records: list[dict[str, Any]], held_out: float) -> Any:
    """Summarize records that have those fields alone that a summary reads."""
    return aggregate.summarize(cast(list[FoldRecord], records), held_out)


def test_means_of_metrics_that_every_fold_has_as_a_number():
    rows = [{"a": 1.0, "b": 2.0, "c": None}, {"a": 3.0, "b": math.nan, "c": 1.0}, {"a": 5.0, "b": 1.0, "c": 1.0}]
    summary = summarize([{"repeat": 0, "fold": i, "metrics": row} for i, row in enumerate(rows)], 0.5)
    assert summary["mean"] == {"a": 3.0}
    assert summary["std"] == {"a": 2.0}
    # t_2 quantile 0.975 is 4.302653 in any table: 3 -+ 4.302653 * 2 / sqrt(3)
    assert summary["interval"]["a"] == pytest.approx([3 - 4.968275, 3 + 4.968275], abs=1e-5)
    assert summary["interval_corrected"]["a"][1] > summary["interval"]["a"][1]


def test_equal_folds_have_no_interval():
    # np.std of three times 0.1 is 1.7e-17: their mean rounds
    records = [{"repeat": 0, "fold": i // 3, "seed": i % 3, "metrics": {"a": 0.1}} for i in range(9)]
    summary = summarize(records, 0.25)
    assert summary["mean"]["a"] == 0.1
    assert summary["std"]["a"] == summary["std_seeds"]["a"] == summary["std_folds"]["a"] == 0
    assert all(math.isnan(end) for kind in ("interval", "interval_corrected") for end in summary[kind]["a"])


def test_folds_that_differ_by_what_a_bounded_metric_rounds_by_have_no_spread():
    # calibration errors of a model that says the classes' shares, and R2 of the mean
    rounded = [8.8e-17, 1.1e-16, 5.6e-17, 8.8e-17]
    rows = [{"val/calibration_error": value, "val/r2": -value, "val/mse": value} for value in rounded]
    summary = summarize([{"repeat": 0, "fold": i // 2, "seed": i % 2, "metrics": row} for i, row in enumerate(rows)], 1)
    for name in ("val/calibration_error", "val/r2"):
        assert summary["std"][name] == summary["std_seeds"][name] == summary["std_folds"][name] == 0
        assert all(math.isnan(end) for kind in ("interval", "interval_corrected") for end in summary[kind][name])
    assert summary["std"]["val/mse"] == pytest.approx(np.std([9.9e-17, 7.2e-17], ddof=1), rel=0.01)


def test_intervals_stay_within_the_bounds_of_the_metric():
    areas = [0.99, 1.0, 0.87, 1.0, 0.98]
    rows = [{"val/roc_auc": area, "val/rmse": 1.01 - area, "my_own": area} for area in areas]
    summary = summarize([{"repeat": 0, "fold": i, "metrics": row} for i, row in enumerate(rows)], 0.25)
    for kind in ("interval", "interval_corrected"):
        assert summary[kind]["my_own"][1] > 1 >= summary[kind]["val/roc_auc"][1] > summary["mean"]["val/roc_auc"]
        assert 0 < summary[kind]["val/rmse"][0] < summary["mean"]["val/rmse"]


def test_seeds_are_averaged_within_folds_and_their_spread_told_apart():
    # two folds under two seeds: means 2 and 6; variance over seeds 2 and 2; over folds of the means 8
    values = {(0, 0): 1.0, (0, 1): 3.0, (1, 0): 5.0, (1, 1): 7.0}
    records = [{"repeat": 0, "fold": f, "seed": s, "metrics": {"a": v}} for (f, s), v in values.items()]
    summary = summarize(records, 1.0)
    assert (summary["mean"]["a"], summary["std"]["a"]) == (4.0, pytest.approx(math.sqrt(8)))
    assert summary["std_seeds"]["a"] == pytest.approx(math.sqrt(2))
    assert summary["std_folds"]["a"] == pytest.approx(math.sqrt(8 - 2 / 2))
    of_seed_0 = summarize([record for record in records if record["seed"] == 0], 1.0)
    assert "std_seeds" not in of_seed_0
    assert of_seed_0["mean"]["a"] == 3.0


def test_both_parts_of_the_spread_are_found_in_a_simulation():
    draw = np.random.default_rng(0)
    values_FS = draw.normal(0, 3, (200, 1)) + draw.normal(0, 1, (200, 8))
    records = [
        {"repeat": 0, "fold": f, "metrics": {"a": value}} for f, row in enumerate(values_FS.tolist()) for value in row
    ]
    summary = summarize(records, 0.25)
    assert summary["std_seeds"]["a"] == pytest.approx(1, abs=0.05)
    assert summary["std_folds"]["a"] == pytest.approx(3, abs=0.4)
