"""Losses of pairs: the lecture's and the papers' formulas, and torch's class. T trials, N pairs, E numbers."""

import pytest
import torch

from dlexp.embedding.loss import Contrastive, Cosine
from dlexp.embedding.similarity import compared
from dlexp.error import ConfigError

T, N, E = 3, 8, 6


def embeddings():
    return torch.randn(T, 2 * N, E, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def targets():
    return torch.randint(2, (T, N), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("margin", [-1.0, -0.3, 0.0, 0.5])
def test_cosine_is_torchs_cosine_embedding_loss(margin):
    z_TME, y_TN = embeddings(), targets()
    loss_T = Cosine(margin=margin)(compared(z_TME, "cosine"), y_TN)
    reference = torch.nn.CosineEmbeddingLoss(margin=margin)
    expected = [reference(z[::2], z[1::2], 2 * y - 1) for z, y in zip(z_TME, y_TN, strict=True)]
    torch.testing.assert_close(loss_T, torch.stack(expected))


def test_margin_minus_one_is_the_form_of_the_lecture_up_to_a_constant():
    z_TME, y_TN = embeddings(), targets()
    first, second = z_TME[:, ::2], z_TME[:, 1::2]
    cosine_TN = (first * second).sum(-1) / (first.norm(dim=-1) * second.norm(dim=-1))
    lecture_T = (-(2 * y_TN - 1) * cosine_TN).mean(1)  # L = -y cos(z, z'), y = 1 or -1
    loss_T = Cosine(margin=-1.0)(compared(z_TME, "cosine"), y_TN)
    torch.testing.assert_close(loss_T, lecture_T + 1)


@pytest.mark.parametrize("margin", [0.5, 2.0, 10.0])
def test_contrastive_is_the_formula_of_its_paper(margin):
    z_TME, y_TN = embeddings(), targets()
    expected = []
    for z, y in zip(z_TME, y_TN, strict=True):
        terms = []
        for k in range(N):
            d = float((z[2 * k] - z[2 * k + 1]).norm())
            terms.append(d**2 / 2 if y[k] else max(0.0, margin - d) ** 2 / 2)
        expected.append(sum(terms) / N)
    loss_T = Contrastive(margin=margin)(compared(z_TME, "distance"), y_TN)
    assert loss_T.tolist() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("loss", "name"), [(Cosine, "cosine"), (Contrastive, "distance")])
def test_threshold_and_similarity_have_the_loss_of_the_similarity(loss, name):
    similarity_TN1 = compared(embeddings(), name)
    stored_TN2 = torch.cat([torch.full_like(similarity_TN1, 0.3), similarity_TN1], -1)
    assert torch.equal(loss()(stored_TN2, targets()), loss()(similarity_TN1, targets()))


@pytest.mark.parametrize("loss", [Cosine, Contrastive])
def test_mixed_labels_and_other_tasks_are_refused_with_the_cure(loss):
    with pytest.raises(ConfigError, match="leave out mixup and cutmix"):
        loss()(torch.zeros(1, 2, 1), torch.full((1, 2, 2), 0.5))
    with pytest.raises(ConfigError, match=f"loss: got {loss.__name__.lower()}; the task is multiclass.*set task=pairs"):
        loss(task="multiclass")
    assert loss(embedding=7).num_outputs == 7
