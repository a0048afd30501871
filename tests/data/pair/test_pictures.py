"""Groups of pictures that pairs link, against a reference."""

import numpy as np
import pytest
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from dlexp.data.pair.pictures import components


@pytest.mark.parametrize("num_pairs", [0, 5, 20, 60])
@pytest.mark.parametrize("seed", range(5))
def test_groups_are_the_connected_components(num_pairs, seed):
    draw, num = np.random.default_rng(seed), 40
    pairs = draw.integers(0, num, (num_pairs, 2))
    graph = coo_matrix((np.ones(num_pairs), (pairs[:, 0], pairs[:, 1])), (num, num))
    reference = connected_components(graph, directed=False)[1]
    assert (components(num, pairs) == np.unique(reference, return_inverse=True)[1]).all()


def test_a_long_chain_is_one_group():
    order = np.random.default_rng(0).permutation(3000)
    assert components(3000, np.stack([order[:-1], order[1:]], 1)).max() == 0
