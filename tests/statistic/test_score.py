"""Metrics on weighted examples: each equals its namesake of `dlexp.metric` on the resample that they stand for."""

import numpy as np
import pytest
import torch
from sklearn.metrics import r2_score

from dlexp import metric
from dlexp.metric.ranking import equal_error_rate
from dlexp.statistic.measure import Measure
from dlexp.statistic.score import by_example, names, weighted

SEED = 5
NUM = 90


def made(num_classes: int, columns: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng([SEED, num_classes])
    if not num_classes:
        return draw.normal(size=NUM).astype(np.float32), draw.normal(size=NUM).astype(np.float32)
    logits = draw.normal(size=(NUM, columns or num_classes)).astype(np.float32)
    logits[: NUM // 3] = logits[:1].round()  # ties
    logits[NUM // 6 : NUM // 3] = logits[:1, ::-1]  # of other classes with the same logits
    return logits, draw.integers(num_classes, size=NUM)


def reference(outputs: np.ndarray, targets: np.ndarray, num_classes: int, rows: np.ndarray) -> dict[str, float]:
    stacked = torch.from_numpy(outputs[rows])[None], torch.from_numpy(targets[rows])[None]
    report = metric.classification_report(*stacked, num_classes) if num_classes else metric.regression_report(*stacked)
    return {name: float(value) for name, value in report.items() if value.dim() == 1}


@pytest.mark.parametrize(("num_classes", "columns"), [(0, None), (2, 1), (2, 2), (3, 3), (7, 7)])
def test_every_metric_equals_its_namesake_on_resamples(num_classes, columns):
    outputs, targets = made(num_classes, columns)
    draw = np.random.default_rng(SEED)
    rows_BN = np.stack([np.arange(NUM), *(draw.integers(NUM, size=(5, NUM)))])
    weights_BN = np.stack([np.bincount(rows, minlength=NUM) for rows in rows_BN]).astype(float)
    expected = [reference(outputs, targets, num_classes, rows) for rows in rows_BN]
    assert set(names(num_classes)) == set(expected[0]) - {"bias"}
    for name in names(num_classes):
        resampled = weighted(name, outputs, targets)(weights_BN)
        assert resampled == pytest.approx([values[name] for values in expected], rel=1e-5, abs=1e-6), name


def test_a_class_that_a_resample_lacks():
    outputs, targets = made(3)
    weights = np.zeros((2, NUM))
    weights[0, np.flatnonzero(targets != 2)] = 1
    weights[1, np.flatnonzero(targets == 1)] = 1
    rows = np.flatnonzero(targets != 2)
    values = weighted("roc_auc", outputs, targets)(weights)
    assert values[0] == pytest.approx(reference(outputs, targets, 3, rows)["roc_auc"])
    assert np.isnan(values[1])  # only one class: no pair to rank


def test_what_is_not_finite_has_no_value():
    outputs, targets = made(3)
    outputs[0] = np.nan
    assert np.isnan(weighted("accuracy", outputs, targets)(np.ones((2, NUM)))).all()
    assert np.isnan(weighted("r2", np.ones(4, np.float32), np.ones(4, np.float32))(np.ones((1, 4)))).all()


@pytest.mark.parametrize("most", [0.0, 0.1, 17.3, -4e5])
@pytest.mark.parametrize("outlier", [1.0, 1e6])
def test_r2_of_resamples_most_of_whose_targets_are_equal(most, outlier):
    draw = np.random.default_rng(SEED)
    targets = np.full(NUM, most)
    targets[:2] = outlier, most + 0.01
    outputs = targets + draw.normal(size=NUM)
    weights_BN = draw.integers(0, 3, size=(40, NUM)).astype(float)
    weights_BN[:20, :2] = 0  # none but equal ones
    weights_BN[20:30, 0] = 0  # small differences beside a far mean of all
    values = weighted("r2", outputs, targets)(weights_BN)
    assert np.isnan(values[:20]).all()
    for value, weights_N in zip(values[20:], weights_BN[20:], strict=True):
        if len(set(targets[weights_N > 0])) > 1:
            assert value == pytest.approx(r2_score(targets, outputs, sample_weight=weights_N), rel=1e-6)
        else:
            assert np.isnan(value)


def test_values_of_single_examples():
    outputs, targets = np.array([[2.0, 0, 0], [0, 3, 1]], dtype=np.float32), np.array([0, 2])
    accuracy, loss = (by_example(name, outputs, targets) for name in ("accuracy", "log_loss"))
    assert accuracy is not None
    assert accuracy.tolist() == [1, 0]
    assert loss == pytest.approx([np.log(np.exp(2) + 2) - 2, np.log(np.exp(3) + np.e + 1) - 1])
    assert by_example("f1_macro", outputs, targets) is None
    assert by_example("r2", outputs[:, 0], targets) is None


def test_the_equal_error_rate_of_pairs_equals_that_of_metric_on_resamples():
    assert set(names(2, "similarity")) ^ set(names(2)) == {"eer", "log_loss", "calibration_error"}
    outputs, targets = made(2)
    draw = np.random.default_rng(SEED)
    rows_BN = np.stack([np.arange(NUM), *(draw.integers(NUM, size=(5, NUM)))])
    weights_BN = np.stack([np.bincount(rows, minlength=NUM) for rows in rows_BN]).astype(float)
    lead, truth = torch.from_numpy(outputs[:, 1].astype(np.float64) - outputs[:, 0]), torch.from_numpy(targets == 1)
    expected = [equal_error_rate(lead[rows][None], truth[rows][None]).item() for rows in rows_BN]
    resampled = weighted("eer", outputs, targets, Measure(link="similarity"))(weights_BN)
    assert resampled == pytest.approx(expected, abs=1e-9)
    one_kind = (targets == 1).astype(float)[None]
    assert np.isnan(weighted("eer", outputs, targets)(one_kind)).all()
