"""What folds say together."""

import math

import pytest

from dlexp.job.pool import summarize


def test_means_of_metrics_that_every_fold_has_as_a_number():
    rows = [{"a": 1.0, "b": 2.0, "c": None}, {"a": 3.0, "b": math.nan, "c": 1.0}, {"a": 5.0, "b": 1.0, "c": 1.0}]
    found = summarize([{"metrics": row} for row in rows], 0.5)
    assert found["mean"] == {"a": 3.0}
    assert found["std"] == {"a": 2.0}
    # t_2 quantile 0.975 is 4.302653 in any table: 3 -+ 4.302653 * 2 / sqrt(3)
    assert found["interval"]["a"] == pytest.approx([3 - 4.968275, 3 + 4.968275], abs=1e-5)
    assert found["interval_corrected"]["a"][1] > found["interval"]["a"][1]


def test_equal_folds_have_no_corrected_interval():
    found = summarize([{"metrics": {"a": 1.0}}] * 4, 0.25)
    assert found["interval"]["a"] == [1.0, 1.0]
    assert all(math.isnan(end) for end in found["interval_corrected"]["a"])
