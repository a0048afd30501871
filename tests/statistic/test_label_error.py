"""Confident learning by the paper's equations, on an example by hand and on labels flipped on purpose."""

import numpy as np
import pytest

from dlexp.statistic.label_error import joint, suspects, thresholds

P = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.6, 0.4], [0.2, 0.8], [0.3, 0.7], [0.95, 0.05], [0.4, 0.6]])
LABEL = np.array([0, 0, 0, 0, 1, 1, 1, 1])


def test_thresholds_are_the_mean_self_confidence():
    np.testing.assert_allclose(thresholds(P, LABEL), [(0.9 + 0.8 + 0.1 + 0.6) / 4, (0.8 + 0.7 + 0.05 + 0.6) / 4])


def test_the_joint_by_hand():
    # t = (0.6, 0.5375). Labelled 0: rows 0, 1, 3 confident of 0, row 2 of 1. Labelled 1: rows 4, 5, 7 of 1, row 6 of 0.
    np.testing.assert_allclose(joint(P, LABEL), [[3, 1], [1, 3]])


def test_a_row_that_counts_fewer_is_scaled_to_its_labels():
    p = np.array([[0.9, 0.05, 0.05], [0.3, 0.4, 0.3], [0.1, 0.8, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]])
    label = np.array([0, 0, 1, 1, 2])  # t = (0.6, 0.8, 0.8): of the two labelled 0 one counts
    np.testing.assert_allclose(joint(p, label), [[2, 0, 0], [0, 2, 0], [0, 0, 1]])


def test_a_class_without_labels_or_without_confidence_is_taken_as_labelled():
    p = np.array([[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [0.1, 0.9, 0.0]])
    assert joint(p, np.array([0, 0, 1])).sum() == pytest.approx(3)
    assert joint(p, np.array([0, 0, 1]))[2].tolist() == [0, 0, 0]


def test_suspects_are_the_confident_ones_the_worst_first():
    assert suspects(P, LABEL).tolist() == [6, 2]


def test_sound_labels_have_none():
    draw = np.random.default_rng(0)
    label = draw.integers(0, 5, 400)
    assert len(suspects(np.eye(5)[label] * 0.9 + 0.02, label)) == 0


@pytest.mark.parametrize("seed", range(3))
def test_flipped_labels_are_named(seed):
    draw = np.random.default_rng(seed)
    truth, num = draw.integers(0, 4, 1000), 50
    p = draw.dirichlet(np.ones(4), 1000) * 0.4 + np.eye(4)[truth] * 0.6
    label, flipped = truth.copy(), draw.choice(1000, num, replace=False)
    label[flipped] = (label[flipped] + draw.integers(1, 4, num)) % 4
    named = set(suspects(p, label).tolist())
    assert len(named & set(flipped.tolist())) / len(named) >= 0.9
    assert len(named & set(flipped.tolist())) / num >= 0.7
