from typing import Any

import numpy as np
import pytest
import sklearn.metrics
import torch
import torchmetrics.functional.classification as other
from hypothesis import given, settings
from hypothesis import strategies as st

from dlexp.metric import classification, classification_report, confusion_matrix
from dlexp.statistic.measure import Measure
from dlexp.statistic.score import weighted

reference: Any = sklearn.metrics  # its stubs know neither numbers for zero_division nor None for no average


def draw(num_trials, num, num_classes, seed=0, scale=2.0):
    draw = torch.Generator().manual_seed(seed)
    outputs = scale * torch.randn(num_trials, num, num_classes, generator=draw)
    targets = torch.randint(0, num_classes, (num,), generator=draw).expand(num_trials, -1)
    return outputs, targets


def logits_for(predictions, num_classes):
    return torch.nn.functional.one_hot(torch.tensor(predictions), num_classes).float().unsqueeze(0)


def average_precision(y, probability, num_classes):
    """Of class 1 of two, else the mean over the classes that occur."""
    classes = [1] if num_classes == 2 else [k for k in range(num_classes) if (y == k).any()]
    values = [reference.average_precision_score(y == k, probability[:, k]) for k in classes if (y == k).any()]
    return pytest.approx(np.mean(values), rel=1e-9) if values else pytest.approx(np.nan, nan_ok=True)


def check_against_scikit_learn(outputs, targets, num_classes):
    metrics = classification_report(outputs, targets, num_classes)
    labels = list(range(num_classes))
    for t in range(len(outputs)):
        y, p = targets[t].numpy(), outputs[t].argmax(-1).numpy()
        probability = outputs[t].double().softmax(-1).numpy()
        expected = {
            "accuracy": reference.accuracy_score(y, p),
            "log_loss": reference.log_loss(y, probability, labels=labels),
            "fbeta_macro": reference.fbeta_score(y, p, beta=2, average="macro", zero_division=0),
            # it warns where there is one label in all, and calls that 0
            "matthews_correlation": reference.matthews_corrcoef(y, p) if len({*y, *p}) > 1 else 0.0,
            "balanced_accuracy": reference.recall_score(y, p, labels=np.unique(y), average="macro", zero_division=0),
        }
        for average in ("macro", "micro"):
            for name, score in (
                ("precision", reference.precision_score),
                ("recall", reference.recall_score),
                ("f1", reference.f1_score),
            ):
                expected[f"{name}_{average}"] = score(y, p, average=average, zero_division=0)
        for name, value in expected.items():
            assert float(metrics[name][t]) == pytest.approx(value, rel=1e-5, abs=1e-7), name
        assert float(metrics["average_precision"][t]) == average_precision(y, probability, num_classes)
        if set(p) <= set(y) and len(set(y)) > 1:  # it warns of others
            assert expected["balanced_accuracy"] == pytest.approx(reference.balanced_accuracy_score(y, p))
        each = reference.precision_recall_fscore_support(y, p, labels=labels, zero_division=0)
        for name, value in zip(("precision", "recall", "f1", "support"), each, strict=True):
            np.testing.assert_allclose(metrics[f"{name}_class"][t].numpy(), value, err_msg=name)
        np.testing.assert_array_equal(metrics["confusion"][t].numpy(), reference.confusion_matrix(y, p, labels=labels))


@given(st.integers(2, 8), st.integers(1, 40), st.integers(1, 3), st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_equals_scikit_learn(num_classes, num, num_trials, seed):
    outputs, targets = draw(num_trials, num, num_classes, seed)
    check_against_scikit_learn(outputs, targets, num_classes)


@pytest.mark.parametrize(
    ("predictions", "targets"),
    [
        ([0, 0, 0, 0], [0, 0, 0, 0]),  # one class alone
        ([1, 1, 1, 1], [0, 2, 0, 2]),  # nothing right
        ([2, 2, 2, 2], [0, 1, 2, 0]),  # one prediction for all
        ([0, 1, 0, 1], [0, 1, 0, 1]),  # a class absent from both
        ([0], [2]),
    ],
)
def test_degenerate_cases_equal_scikit_learn(predictions, targets):
    check_against_scikit_learn(5 * logits_for(predictions, 3), torch.tensor([targets]), 3)


def test_equals_torchmetrics():
    outputs, targets = draw(3, 500, 7)
    metrics = classification_report(outputs, targets, 7)
    for t in range(3):
        x, y = outputs[t], targets[t]
        expected = {
            "f1_macro": other.multiclass_f1_score(x, y, 7, average="macro"),
            "precision_macro": other.multiclass_precision(x, y, 7, average="macro"),
            "recall_macro": other.multiclass_recall(x, y, 7, average="macro"),
            "top5_accuracy": other.multiclass_accuracy(x, y, 7, average="micro", top_k=5),
            "calibration_error": other.multiclass_calibration_error(x.softmax(-1), y, 7, n_bins=15, norm="l1"),
            "roc_auc": other.multiclass_auroc(x.softmax(-1), y, 7, average="macro"),
        }
        for name, value in expected.items():
            assert float(metrics[name][t]) == pytest.approx(float(value), rel=1e-5), name


def test_lecture_example():
    # Hits and false alarms of three classes: 20 and 5, 0 and 1, 19 and 0.
    predictions = [0] * 25 + [1] + [2] * 19
    targets = [0] * 20 + [1] * 3 + [2] * 2 + [0] + [2] * 19
    metrics = classification_report(logits_for(predictions, 3), torch.tensor([targets]), 3)
    assert round(float(metrics["precision_micro"]), 2) == 0.87
    assert round(float(metrics["precision_macro"]), 2) == 0.60


def test_two_classes_by_one_or_two_columns():
    outputs, targets = draw(2, 60, 1)
    targets = torch.randint(0, 2, (60,), generator=torch.Generator().manual_seed(3)).expand(2, -1)
    single = classification_report(outputs, targets, 2)
    double = classification_report(torch.cat([torch.zeros_like(outputs), outputs], -1), targets, 2)
    for name, value in single.items():
        assert value.equal(double[name]), name
    y, score = targets[0].numpy(), outputs[0, :, 0].numpy()
    assert float(single["f1"][0]) == pytest.approx(reference.f1_score(y, score > 0))
    assert float(single["precision"][0]) == pytest.approx(reference.precision_score(y, score > 0))
    assert float(single["roc_auc"][0]) == pytest.approx(reference.roc_auc_score(y, score))


def test_tied_logits_predict_the_lowest_class():
    assert confusion_matrix(torch.zeros(1, 3, 4), torch.tensor([[0, 1, 3]]), 4)[0, :, 0].tolist() == [1, 1, 0, 1]


def test_a_broken_trial_has_no_metrics_and_leaves_the_others_alone():
    outputs, targets = draw(3, 50, 6)
    whole = classification_report(outputs, targets, 6)
    outputs[1, 7, 2] = torch.nan
    metrics = classification_report(outputs, targets, 6)
    for name, value in metrics.items():
        assert value[[0, 2]].equal(whole[name][[0, 2]]), name
        assert name == "confusion" or value[1].isnan().all(), name


def test_a_row_of_a_stack_equals_the_trial_alone():
    outputs, targets = draw(4, 333, 6)
    stack = classification(outputs, targets, 6)
    for t in range(4):
        for name, value in classification(outputs[t : t + 1], targets[t : t + 1], 6).items():
            assert value.equal(stack[name][t : t + 1]), name


def test_absent_class_is_left_out_of_roc_auc():
    outputs, _ = draw(1, 30, 3)
    targets = torch.arange(30).remainder(2).unsqueeze(0)
    metrics = classification_report(outputs, targets, 3)
    assert metrics["roc_auc_class"][0].isnan().tolist() == [False, False, True]
    assert float(metrics["roc_auc"]) == pytest.approx(float(metrics["roc_auc_class"][0, :2].mean()))


def test_beta_weighs_recall():
    outputs, targets = draw(1, 80, 4)
    y, p = targets[0].numpy(), outputs[0].argmax(-1).numpy()
    for beta in (0.5, 1.0, 3.0):
        expected = reference.fbeta_score(y, p, beta=beta, average=None)
        metrics = classification_report(outputs, targets, 4, beta=beta)
        assert metrics["fbeta_class"][0].tolist() == pytest.approx(expected.tolist())
        assert float(metrics["fbeta_macro"]) == pytest.approx(expected.mean())


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1, 0]])
def test_top_five_of_equal_logits_are_the_lowest_classes(order):
    # All logits equal: the prediction is class 0 and the best five are 0 to 4, whichever example comes first.
    metrics = classification_report(torch.zeros(1, 7, 7), torch.tensor([order]), 7)
    assert float(metrics["top5_accuracy"]) == pytest.approx(5 / 7)


@pytest.mark.parametrize("positive", [0, 1])
def test_of_two_classes_the_positive_counts_as_scikit_learn_has_it(positive):
    random = torch.Generator().manual_seed(3)
    outputs, targets = torch.randn(1, 60, 2, generator=random), (torch.rand(1, 60, generator=random) < 0.3).long()
    called, score = outputs[0].argmax(-1), (outputs[0, :, 1] - outputs[0, :, 0]) * (1 if positive else -1)
    about = {"pos_label": positive, "zero_division": 0}
    expected = {
        "precision": reference.precision_score(targets[0], called, **about),
        "recall": reference.recall_score(targets[0], called, **about),
        "f1": reference.f1_score(targets[0], called, **about),
        "average_precision": reference.average_precision_score(targets[0] == positive, score),
    }
    measured = classification_report(outputs, targets, 2, positive=positive)
    assert {name: float(measured[name]) for name in expected} == pytest.approx(expected, abs=1e-6)
    for name, value in expected.items():
        of_side = weighted(name, outputs[0].numpy(), targets[0].numpy(), Measure(positive=positive))
        assert of_side(np.ones((1, 60)) / 60)[0] == pytest.approx(value, abs=1e-6)
