"""Running statistics of batch norms that normalise by the examples of their device alone: one set for all devices.

Shapes: W devices, C channels.
"""

import torch
from torch import Tensor

from dlexp.engine.exchange.exchange import Exchange
from dlexp.kernel.batch_norm import Running, merge
from dlexp.norm import BatchNorm


def average(buffers: list[Tensor], exchange: Exchange) -> None:
    """Replace each buffer by its mean over the devices, counts by those of the first device. Collective.

    A moving mean is linear in the statistics of its batches: it may be averaged at any time, once or often.

    Args:
        buffers: Of the norms; empty for none.
        exchange: Between the devices.
    """
    means = [buffer for buffer in buffers if buffer.is_floating_point()]
    counts = [buffer for buffer in buffers if not buffer.is_floating_point()]
    for kind, divisor in ((means, exchange.size), (counts, 1)):
        if not kind:
            continue
        packed = torch.cat([buffer.reshape(-1) for buffer in kind])
        if divisor == 1 and exchange.rank:
            packed.zero_()
        summed = exchange.sum(packed).split([buffer.numel() for buffer in kind])
        for buffer, value in zip(kind, summed, strict=True):
            buffer.copy_((value / divisor if divisor > 1 else value).view(buffer.shape))


def merge_exact(norms: list[BatchNorm], exchange: Exchange) -> None:
    """Replace gathered mean and variance by those of the values of all devices. Collective.

    Args:
        norms: That have gathered.
        exchange: Between the devices.
    """
    for norm in norms:
        mean, var, num_values = norm.running_mean, norm.running_var, norm.num_values
        assert mean is not None
        assert var is not None
        assert num_values is not None
        nums_W = exchange.stack(num_values).tolist()
        means_WC, vars_WC = exchange.stack(torch.stack([mean, var])).unbind(1)
        correction = int(norm.rule.variance == "unbiased")
        for total in (mean, var, num_values):
            total.zero_()
        running = Running(mean, var, num_values, num_values)
        for num, mean_C, var_C in zip(nums_W, means_WC, vars_WC, strict=True):
            if num:
                merge(running, correction, mean_C, var_C * ((num - correction) / max(num - 1, 1)), num)
