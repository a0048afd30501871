"""Statistics of batch norms by device: one set for all, by the formula over all values."""

import pytest
import torch

from dlexp.engine.exchange.statistic import average, merge_exact
from dlexp.norm import BatchNorm
from tests.engine.exchange.threads import together


def test_means_are_averaged_and_counts_are_those_of_the_first():
    def act(exchange):
        mean, count = torch.full((3,), 2.0 + 2 * exchange.rank), torch.tensor(7 - exchange.rank)
        average([mean, count], exchange)
        return mean.tolist(), int(count)

    assert together(2, act) == [([3.0] * 3, 7)] * 2


def test_a_moving_mean_may_be_averaged_at_any_time():
    means = torch.tensor([[1.0, 5.0, 2.0], [3.0, 4.0, 9.0]], dtype=torch.float64)

    def act(exchange, often):
        mean = torch.zeros(1, dtype=torch.float64)
        for batch in means[exchange.rank]:
            mean.lerp_(batch.reshape(1), 0.1)
            if often:
                average([mean], exchange)
        average([mean], exchange)
        return float(mean)

    once, often = (together(2, lambda exchange, often=often: act(exchange, often)) for often in (False, True))
    assert once == pytest.approx(often, abs=1e-15)


@pytest.mark.parametrize(("variance", "correction"), [("unbiased", 1), ("biased", 0)])
def test_exact_statistics_are_those_of_all_values(variance, correction):
    values = torch.randn(11, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 3 + 5
    cuts = [slice(0, 7), slice(7, 11)]

    def act(exchange):
        norm = BatchNorm(statistics="exact", variance=variance, num_features=3).double().eval()
        norm.is_gathering = True
        for chunk in values[cuts[exchange.rank]].split(3):
            if len(chunk) > 1:
                norm(chunk)
        if exchange.rank == 0:
            norm(values[6:7].expand(2, 3))  # a chunk of one: twice the same value, counted below
        merge_exact([norm], exchange)
        assert norm.num_values is not None
        return norm.running_mean, norm.running_var, int(norm.num_values)

    seen = torch.cat([values[:6], values[6:7], values[6:7], values[7:10]])
    for mean, var, num in together(2, act):
        assert num == len(seen)
        torch.testing.assert_close(mean, seen.mean(0), rtol=1e-12, atol=0)
        torch.testing.assert_close(var, seen.var(0, correction=correction), rtol=1e-12, atol=0)
