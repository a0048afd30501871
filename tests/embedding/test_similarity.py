"""Similarities against torch's, thresholds against trying all. T trials, N pairs, E numbers of an embedding."""

import pytest
import torch
from torch.nn import functional as F

from dlexp.embedding.similarity import SIMILARITIES, best_threshold, compared, cosine, distance


def draw(*shape, seed=0):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def test_cosine_and_distance_are_those_of_torch():
    z_TME = draw(3, 14, 5)
    first, second = z_TME[:, ::2], z_TME[:, 1::2]
    torch.testing.assert_close(cosine(z_TME), F.cosine_similarity(first, second, -1))
    torch.testing.assert_close(distance(z_TME), -(first - second).norm(dim=-1))


@pytest.mark.parametrize("name", SIMILARITIES)
def test_of_equal_and_of_blank_embeddings_value_and_gradient_are_finite(name):
    z_TME = torch.tensor([[[1.0, 2.0], [1.0, 2.0], [0.0, 0.0], [0.0, 0.0]]]).requires_grad_()
    similarity_TN = SIMILARITIES[name](z_TME)
    (gradient,) = torch.autograd.grad(similarity_TN.sum(), z_TME)
    assert similarity_TN[0].tolist() == pytest.approx([1.0, 0.0] if name == "cosine" else [0.0, 0.0])
    assert gradient.isfinite().all()


def test_outputs_that_are_no_pairs_are_left_as_they_are():
    z = draw(1, 4, 3)
    assert compared(z, None) is z
    assert compared(z, "cosine").shape == (1, 2, 1)


def share_right(similarity, is_same, threshold):
    return ((similarity > threshold) == is_same.bool()).double().mean().item()


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("digits", [1, 6])
def test_no_threshold_is_right_more_often(seed, digits):
    similarity = draw(1, 11, seed=seed).round(decimals=digits)
    is_same = (draw(1, 11, seed=seed + 100) + similarity > 0).long()
    threshold = best_threshold(similarity, is_same)
    tried = [*similarity[0].tolist(), similarity.min().item() - 1]
    best = max(share_right(similarity, is_same, value) for value in tried)
    assert share_right(similarity, is_same, threshold) == best


def test_the_threshold_lies_between_two_similarities_in_float32_too():
    similarity = torch.tensor([[1.0, 1.0 + 2**-23, 0.5]])
    threshold = best_threshold(similarity, torch.tensor([[0, 1, 0]]))
    assert share_right(similarity, torch.tensor([[0, 1, 0]]), threshold) == 1.0
    assert best_threshold(torch.tensor([[0.2, 0.8]]), torch.tensor([[0, 1]])).item() == pytest.approx(0.5)


@pytest.mark.parametrize(("is_same", "right"), [([0, 0, 0], 1.0), ([1, 1, 1], 1.0)])
def test_where_all_are_of_one_kind_the_threshold_lies_beyond_them(is_same, right):
    similarity, is_same = torch.tensor([[0.1, 0.4, 0.2]]), torch.tensor([is_same])
    assert share_right(similarity, is_same, best_threshold(similarity, is_same)) == right


def test_trials_have_thresholds_of_their_own():
    similarity, is_same = draw(4, 30), (draw(4, 30, seed=1) > 0).long()
    together = best_threshold(similarity, is_same)
    alone = [best_threshold(similarity[k : k + 1], is_same[k : k + 1]) for k in range(4)]
    assert torch.equal(together, torch.cat(alone))
