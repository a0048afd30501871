"""Probabilities and ranks of confident models, against float64 scikit-learn and fractions worked out with mpmath."""

import mpmath
import numpy as np
import pytest
import sklearn.metrics as reference
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

from dlexp.metric import classification_report
from dlexp.metric.probability import log_odds
from dlexp.statistic.measure import Measure
from dlexp.statistic.score import names, weighted

NUM = 120


def confident(num_classes, scale, seed=0):
    """Float32 logits up to about `scale`, whose order says something of the class."""
    draw = np.random.default_rng(seed)
    targets = draw.integers(num_classes, size=NUM)
    columns = 1 if num_classes == 2 else num_classes
    truth = targets[:, None] if columns == 1 else np.eye(num_classes)[targets]
    logits = (scale * (0.4 + 0.6 * truth * draw.uniform(size=(NUM, 1))) * draw.uniform(0.5, 1, (NUM, columns))) - (
        scale / 2 if columns == 1 else 0
    )
    return logits.astype(np.float32), targets


def exact(logits_NK, link):
    """Probabilities (N, K) and the log-odds that rank, with 120 digits."""
    mpmath.mp.dps = 120
    probabilities, odds = [], []
    for row in logits_NK.tolist():
        z = [mpmath.mpf(value) for value in ([0, *row] if len(row) == 1 else row)]
        odds_of_class = z
        if link == "margin":
            odds_of_class = [z[k] - max(z[:k] + z[k + 1 :]) for k in range(len(z))]
        is_apart = link != "softmax" and len(row) > 1
        shares = [
            1 / (1 + mpmath.exp(-value)) if is_apart else mpmath.exp(value)
            for value in (odds_of_class if is_apart else z)
        ]
        p = [share / sum(shares) for share in shares]
        probabilities.append(p)
        odds.append([float(value) for value in (odds_of_class if is_apart else [mpmath.log(s / (1 - s)) for s in p])])
    return probabilities, np.array(odds)


def report(logits, targets, num_classes, link="softmax"):
    metrics = classification_report(
        torch.from_numpy(logits)[None], torch.from_numpy(targets)[None], num_classes, link=link
    )
    return {name: float(value) for name, value in metrics.items() if value.dim() == 1}


@pytest.mark.parametrize("link", ["softmax", "sigmoid", "margin"])
@pytest.mark.parametrize(("num_classes", "scale"), [(2, 5), (2, 100), (2, 200), (3, 5), (3, 100), (7, 100)])
def test_every_metric_of_probabilities_at_large_logits(num_classes, scale, link):
    logits, targets = confident(num_classes, scale)
    p, odds = exact(logits, link)
    classes = [1] if num_classes == 2 else range(num_classes)
    confidence = np.array([float(max(row)) for row in p])
    is_right = odds.argmax(1) == targets
    bins = np.clip(np.ceil(confidence * 15) - 1, 0, 14)
    gaps = [abs((is_right[bins == b] - confidence[bins == b]).sum()) for b in range(15)]
    expected = {
        "roc_auc": np.mean([reference.roc_auc_score(targets == k, odds[:, k]) for k in classes]),
        "average_precision": np.mean([reference.average_precision_score(targets == k, odds[:, k]) for k in classes]),
        "log_loss": np.mean([-float(mpmath.log(row[y])) for row, y in zip(p, targets, strict=True)]),
        "calibration_error": sum(gaps) / NUM,
        "accuracy": is_right.mean(),
    }
    scores = report(logits, targets, num_classes, link)
    for name, value in expected.items():
        assert scores[name] == pytest.approx(value, rel=1e-12, abs=1e-15), name
        seen = weighted(name, logits, targets, Measure(link=link))(np.ones((1, NUM)))
        assert seen[0] == pytest.approx(value, rel=1e-12, abs=1e-15), name


def test_two_leads_beyond_seventeen_do_not_tie():
    # In float32 the sigmoid of 20 and of 30 are both 1: half of each pair's rank would be lost.
    logits, targets = np.array([[20], [30], [25], [40]], np.float32), np.array([0, 1, 0, 1])
    assert report(logits, targets, 2)["roc_auc"] == 1.0
    both = np.concatenate([-logits, logits], 1)
    assert report(both, targets, 2)["roc_auc"] == 1.0


def test_log_odds_keep_their_digits():
    z = torch.tensor([[[100.0, 0.0, -100.0], [40.0, 39.0, 0.0], [-0.5, 0.0, 0.5]]])
    _, expected = exact(z[0].numpy().astype(np.float64), "softmax")
    torch.testing.assert_close(log_odds(z)[0], torch.from_numpy(expected), rtol=1e-14, atol=0)


def test_votes_tie_as_their_probabilities_do():
    """Of 5 votes for 4 classes: a class with 2 has 2 / 5 however the others share the rest."""
    draw = np.random.default_rng(0)
    votes_NK = draw.multinomial(5, [0.4, 0.3, 0.2, 0.1], size=400)
    targets_N = np.array([draw.choice(4, p=votes / 5) for votes in votes_NK])
    probabilities = (votes_NK / 5).clip(np.finfo(float).eps)
    reported = classification_report(
        torch.from_numpy(np.log(probabilities))[None], torch.from_numpy(targets_N)[None], num_classes=4
    )
    areas = [reference.roc_auc_score(targets_N == k, votes_NK[:, k]) for k in range(4)]
    precisions = [reference.average_precision_score(targets_N == k, votes_NK[:, k]) for k in range(4)]
    assert float(reported["roc_auc"]) == pytest.approx(np.mean(areas), rel=1e-12)
    assert float(reported["average_precision"]) == pytest.approx(np.mean(precisions), rel=1e-12)
    for name in ("roc_auc", "average_precision"):
        weighed = weighted(name, np.log(probabilities), targets_N)(np.ones((1, 400)))
        assert weighed[0] == pytest.approx(float(reported[name]), rel=1e-12)


def test_equal_outputs_tie_exactly():
    outputs = torch.tensor([0.3, -1.7, 2.2]).expand(1, 501, 3).contiguous()
    targets = torch.arange(501).remainder(3)[None]
    assert float(classification_report(outputs, targets, 3)["roc_auc"]) == 0.5


@pytest.mark.parametrize("link", ["softmax", "margin"])
def test_outputs_equal_but_for_their_order_or_what_all_share_tie_exactly(link):
    """Class 0 has the probability of (1, 1, 0) whichever other class shares it, and whatever is added to all three."""
    rows = torch.tensor([[1.0, 1.0, 0.0], [1.0, 0.0, 1.0], [0.25, 1.125, -2.0], [0.25, -2.0, 1.125]])
    outputs = torch.cat([rows + shift for shift in (0.0, 8.0, -64.0)]).double()[None]
    assert [len(column.unique()) for column in log_odds(outputs, link)[0, :, :1].T] == [2]
    targets = torch.arange(12).remainder(4).remainder(2)[None] * 2  # each of a pair is class 0, its twin class 2
    torchs = classification_report(outputs, targets, 3, link=link)
    for name in ("roc_auc", "average_precision"):
        numpys = weighted(name, outputs[0].numpy(), targets[0].numpy(), Measure(link=link))(np.ones((1, 12)))
        assert numpys[0] == pytest.approx(float(torchs[name]), abs=1e-15, nan_ok=True), name


def test_one_against_the_rest_is_normalised_as_scikit_learn_does():
    draw = np.random.default_rng(1)
    x, y = draw.normal(size=(NUM, 4)), draw.integers(3, size=NUM)
    x[:, :3] += np.eye(3)[y]
    model = OneVsRestClassifier(LogisticRegression()).fit(x, y)
    logits, p = model.decision_function(x), model.predict_proba(x)
    scores = report(logits, y, 3, "sigmoid")
    assert scores["log_loss"] == pytest.approx(reference.log_loss(y, p), rel=1e-12)
    areas = [reference.roc_auc_score(y == k, logits[:, k]) for k in range(3)]
    assert scores["roc_auc"] == pytest.approx(np.mean(areas), rel=1e-12)
    assert scores["log_loss"] != pytest.approx(report(logits, y, 3)["log_loss"], rel=1e-3)


@pytest.mark.parametrize("link", ["softmax", "sigmoid", "margin"])
@pytest.mark.parametrize("columns", [1, 2, 3, 6])
def test_resampled_metrics_know_the_link(columns, link):
    draw = np.random.default_rng(columns)
    num_classes = max(2, columns)
    logits, targets = draw.normal(size=(NUM, columns)).astype(np.float32) * 3, draw.integers(num_classes, size=NUM)
    scores = report(logits, targets, num_classes, link)
    for name in names(num_classes):
        seen = weighted(name, logits, targets, Measure(link=link))(np.ones((1, NUM)))
        assert seen[0] == pytest.approx(scores[name], rel=1e-12, abs=1e-15), name


def test_margins_do_not_depend_on_what_all_classes_share():
    # hinge losses see differences of outputs only, so a number added to all of an example's means nothing
    draw = np.random.default_rng(2)
    logits, targets = draw.normal(size=(NUM, 4)), draw.integers(4, size=NUM)
    shifted = logits + draw.normal(size=(NUM, 1)) * 10
    assert report(shifted, targets, 4, "margin") == pytest.approx(report(logits, targets, 4, "margin"), rel=1e-9)
