import numpy as np
import pytest

from dlexp.job.report.answer import measure_score
from dlexp.statistic.proportion import wilson
from tests.job.report.made import classified, valued


def test_an_accuracy_has_wilson_s_interval():
    seen = measure_score(classified([0, 1, 2, 2], [0, 1, 2, 0]), "val/accuracy")
    assert (seen.metric, seen.value, seen.num) == ("val/accuracy", 0.75, 4)
    assert seen.interval == wilson(0.75, 4)


def test_a_loss_is_no_function_of_outputs_alone_so_accuracy_or_rmse_is_told():
    assert measure_score(classified([0, 1], [0, 1]), "val/loss").metric == "val/accuracy"
    assert measure_score(valued([1.0, 2.0], [1.0, 4.0]), "val/loss").metric == "val/rmse"


def test_an_error_has_an_interval_that_holds_it_and_stays_positive():
    rng = np.random.default_rng(0)
    targets = rng.normal(size=200)
    seen = measure_score(valued((targets + rng.normal(size=200)).tolist(), targets.tolist()), "val/rmse")
    assert seen.value == pytest.approx(1.0, abs=0.15)
    assert seen.interval is not None
    assert 0 <= seen.interval[0] < seen.value < seen.interval[1]


def test_a_single_example_has_no_interval():
    assert measure_score(valued([1.0], [2.0]), "val/rmse").interval is None
