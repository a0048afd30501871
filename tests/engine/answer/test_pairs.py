"""What the outputs of pairs mean. T trials, N pairs."""

import pytest
import torch

from dlexp.engine.answer.pairs import SamePair

OUTPUTS = torch.tensor([[[0.5, 0.9], [0.5, 0.6], [0.5, 0.4], [0.5, 0.1]]])  # threshold and similarity
TARGETS = torch.tensor([[1, 0, 1, 0]])


def test_a_pair_is_the_same_above_the_threshold_and_ranks_need_none():
    scores = SamePair().scores(OUTPUTS, TARGETS, "similarity")
    assert scores["accuracy"].item() == 0.5
    assert scores["roc_auc"].item() == 0.75  # 3 of the 4 pairs of a same and a different one are in order
    assert scores["eer"].item() == pytest.approx(0.5)
    moved = SamePair().scores(OUTPUTS - torch.tensor([0.3, 0.0]), TARGETS, "similarity")
    assert moved["accuracy"].item() == 0.75
    assert torch.equal(moved["roc_auc"], scores["roc_auc"])


def test_the_report_has_the_metrics_of_two_classes_and_the_equal_error_rate():
    report = SamePair().report(OUTPUTS, TARGETS, "similarity", 2.0, 1.0)
    assert {"balanced_accuracy", "roc_auc", "eer", "confusion"} <= set(report)
    assert SamePair(positive=0).scores(OUTPUTS, TARGETS, "similarity")["roc_auc"].item() == 0.75


def test_a_trial_without_numbers_has_no_metrics():
    broken = OUTPUTS.clone()
    broken[0, 0, 1] = torch.nan
    scores = SamePair().scores(broken, TARGETS, "similarity")
    assert all(value.isnan().all() for value in scores.values())
