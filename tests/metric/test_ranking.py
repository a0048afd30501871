import numpy as np
import pytest
import sklearn.metrics as reference
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dlexp.metric.ranking import calibration_error, equal_error_rate, roc_auc, roc_curve


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=40))
@settings(max_examples=60, deadline=None)
def test_area_with_ties_equals_scikit_learn(pairs):
    scores = torch.tensor([float(score) for score, _ in pairs])
    truth = torch.tensor([int(is_positive) for _, is_positive in pairs])
    area = roc_auc(torch.stack([-scores, scores], -1).unsqueeze(0), truth.unsqueeze(0))[0]
    if truth.min() == truth.max():
        assert area.isnan().all()
    else:
        expected = reference.roc_auc_score(truth.numpy(), scores.numpy())
        assert area.tolist() == pytest.approx([expected, expected])


def test_curve_equals_scikit_learn():
    draw = torch.Generator().manual_seed(0)
    scores = torch.randint(0, 20, (80,), generator=draw).float()
    truth = torch.rand(80, generator=draw) < 0.3
    expected = reference.roc_curve(truth.numpy(), scores.numpy(), drop_intermediate=False)
    for computed, value in zip(roc_curve(scores, truth), expected, strict=True):
        np.testing.assert_allclose(computed.numpy(), value)
    rates = roc_curve(scores, truth)
    area = torch.trapezoid(rates[1], rates[0])
    assert float(area) == pytest.approx(
        float(roc_auc(torch.stack([-scores, scores], -1)[None], truth.long()[None])[0, 1])
    )


def test_calibration_by_hand():
    # Two of the bin (0.5, 0.75] at 0.6, one right; two of (0.75, 1] at 0.9, both right: (|1 - 1.2| + |2 - 1.8|) / 4.
    probability = torch.tensor([[[0.6, 0.4], [0.6, 0.4], [0.9, 0.1], [0.9, 0.1]]])
    assert float(calibration_error(probability, torch.tensor([[True, False, True, True]]), 4)) == pytest.approx(
        0.1, rel=1e-5
    )


def test_certain_and_right_is_calibrated():
    probability = torch.eye(3).unsqueeze(0)
    assert float(calibration_error(probability, torch.tensor([[True, True, True]]), 15)) == 0


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("digits", [1, 6])
def test_the_equal_error_rate_is_where_the_reference_curve_crosses(seed, digits):
    draw = np.random.default_rng(seed)
    truth = draw.permutation(np.arange(40) % (2 + seed % 3) == 0)
    scores = np.round(draw.normal(size=40) + truth, digits)
    fpr, tpr, _ = reference.roc_curve(truth, scores, drop_intermediate=False)
    share = np.linspace(0, 1, 200_001)  # along each straight line of the curve
    gaps, rates = [], []
    for k in range(len(fpr) - 1):
        false_rate = fpr[k] + share[:: len(fpr)] * (fpr[k + 1] - fpr[k])
        gaps.append(np.abs(false_rate - (1 - tpr[k] - share[:: len(fpr)] * (tpr[k + 1] - tpr[k]))))
        rates.append(false_rate)
    expected = np.concatenate(rates)[np.concatenate(gaps).argmin()]
    got = equal_error_rate(torch.from_numpy(scores)[None], torch.from_numpy(truth)[None])
    assert got.item() == pytest.approx(expected, abs=1e-3)


def test_the_equal_error_rate_of_perfect_reversed_and_constant_scores():
    truth, scores = torch.tensor([[1, 1, 0, 0]]).bool(), torch.tensor([[4.0, 3, 2, 1]])
    assert equal_error_rate(scores, truth).item() == 0.0
    assert equal_error_rate(-scores, truth).item() == 1.0
    assert equal_error_rate(torch.ones(1, 4), truth).item() == 0.5
    assert equal_error_rate(scores, torch.ones(1, 4).bool()).isnan().all()
