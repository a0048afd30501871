import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from dlexp.metric import reconstruction


def numbers_of(x_ND, z_ND, mean_D):
    """Return error and spread of each example (1, N, 2)."""
    both = np.stack([np.sqrt(((z_ND - x_ND) ** 2).mean(1)), ((x_ND - mean_D) ** 2).mean(1)], 1)
    return torch.from_numpy(both)[None]


def test_of_principal_components_it_is_the_ratio_that_scikit_learn_has():
    x_ND = np.random.default_rng(0).normal(size=(50, 6)) * np.arange(1, 7) + 3
    pca = PCA(2).fit(x_ND)
    z_ND = pca.inverse_transform(pca.transform(x_ND))
    scores = reconstruction(numbers_of(x_ND, z_ND, x_ND.mean(0)))
    assert scores["explained_variance"].item() == pytest.approx(pca.explained_variance_ratio_.sum())
    assert scores["mse"].item() == pytest.approx(((z_ND - x_ND) ** 2).mean())
    assert scores["rmse"].item() == pytest.approx(((z_ND - x_ND) ** 2).mean() ** 0.5)


def test_the_mean_explains_nothing_and_the_input_everything():
    x_ND = np.random.default_rng(0).normal(size=(9, 4))
    mean_D = np.full(4, 0.5)
    assert reconstruction(numbers_of(x_ND, mean_D[None], mean_D))["explained_variance"].item() == pytest.approx(0)
    assert reconstruction(numbers_of(x_ND, x_ND, mean_D))["explained_variance"].item() == 1


def test_stored_errors_have_no_share_of_variance():
    assert set(reconstruction(torch.ones(1, 4))) == {"mse", "rmse"}


def test_where_nothing_varies_there_is_no_share():
    assert reconstruction(torch.tensor([[[1.0, 0.0]]]))["explained_variance"].isnan().all()


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_a_broken_trial_has_no_metrics(bad):
    outputs = torch.ones(2, 3, 2)
    outputs[1, 1, 0] = bad
    for value in reconstruction(outputs).values():
        assert value.isfinite().tolist() == [True, False]
