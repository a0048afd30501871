"""What devices computed of their examples, joined in order; a single device has nobody to tell."""

import torch

from dlexp.engine.exchange.exchange import ALONE
from dlexp.engine.exchange.share import deal
from tests.engine.exchange.threads import together


def test_joined_rows_are_those_of_the_whole_in_order():
    whole_TNK = torch.arange(2 * 7 * 3, dtype=torch.float64).view(2, 7, 3)
    bounds = deal(7, 3)

    def act(exchange):
        first, end = bounds[exchange.rank]
        return exchange.join(whole_TNK[:, first:end], bounds)

    assert all(torch.equal(joined, whole_TNK) for joined in together(3, act))


def test_a_device_without_examples_brings_none():
    bounds = [(0, 2), (2, 2)]
    joined = together(2, lambda exchange: exchange.join(torch.ones(1, 2 - 2 * exchange.rank, 4), bounds))
    assert [rows.shape for rows in joined] == [(1, 2, 4)] * 2


def test_alone_everything_is_as_it_is():
    rows = torch.ones(1, 3, 2)
    assert ALONE.sum(rows) is rows
    assert ALONE.join(rows, [(0, 3)]) is rows
    assert ALONE.any(True, False) == (True, False)
    assert torch.equal(ALONE.stack(rows), rows[None])
