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


@pytest.mark.parametrize("metric", ["f1_macro", "balanced_accuracy", "roc_auc", "matthews_correlation"])
def test_of_few_examples_no_interval_leaves_what_the_metric_can_be(metric):
    for called in ([0, 1, 2, 0], [0, 1, 2, 2, 0, 0], [0, 0, 1, 2, 1, 2]):
        seen = measure_score(classified(called, [0, 1, 2, 2, 0, 1][: len(called)]), f"val/{metric}")
        assert seen.interval is not None
        low, high = seen.interval
        assert (-1 if metric == "matthews_correlation" else 0) <= low <= seen.value <= high <= 1


def test_an_r2_is_at_most_one():
    seen = measure_score(valued([0.0, 1.1, 2.0, 2.0, 5.0], [0.1, 1.0, 2.1, 2.5, 4.4]), "val/r2")
    assert seen.interval is not None
    assert seen.interval[0] < seen.value < seen.interval[1] <= 1


def test_no_error_on_few_examples_is_no_interval_of_one_point():
    seen = measure_score(classified([0, 1, 2, 2], [0, 1, 2, 2]), "val/f1_macro")
    assert (seen.value, seen.interval) == (1, None)


def test_a_single_example_has_no_interval():
    assert measure_score(valued([1.0], [2.0]), "val/rmse").interval is None
