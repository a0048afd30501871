"""Normalisation: y = weight * (x - mean) / sqrt(var + eps) + bias, weight and bias per channel.

They differ in what mean and var are taken over: `batch` per channel over batch and space, `layer` per example over
channels and space, `instance` per example and channel over space, `group` per example over a group of channels and
space (figure 2 of Wu and He 2018). Only batch norm keeps running statistics, used in evaluation.
All work on (N, C) and (N, C, H, W), except that `instance` needs space. `adds_bias` tells the layer before it whether
its own bias would be redundant. Shapes: N examples, C channels or features, H, W space.
"""

from functools import partial
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm

from dlexp.error import ConfigError
from dlexp.kernel.batch_norm import Mode, Rule, Running, normalise
from dlexp.kernel.synced_norm import Across, batch_norm, space_of
from dlexp.number import noun
from dlexp.type import Count, Fraction, Positive


class BatchNorm(_BatchNorm):
    """Batch normalisation: statistics per channel over the batch and space, running ones in evaluation.

    With the batch's mean m_t and variance v_t, t = 1, 2, ..., evaluation takes
    moving: mean += momentum * (m_t - mean), var += momentum * (v_t - var);
    cumulative: mean = (m_1 + ... + m_t) / t, var = (v_1 + ... + v_t) / t;
    exact: mean and variance of all values of the training part, gathered after each epoch: its batches pass once more
    through the trained (with trainer.ema, the averaged) weights, not augmented, without dropout, each normalised by
    itself on its way to deeper layers.
    auto: exact where an epoch has fewer than 100 updates and the net 5 or more batch norms, else moving: while weights
    still move fast, moving means lag behind them, more in every further layer.
    v_t is sum (x - m_t)^2 / (n - 1), unbiased, or / n, biased, over the n values of a channel; exact over all values.

    Args:
        momentum: Weight of the newest batch in moving statistics, in (0, 1).
        statistics: What evaluation takes: moving (the running mean), cumulative (the mean over all batches), exact (of
            the whole training part, which costs a forward pass an epoch) or auto (exact for a deep net with few updates
            an epoch, else moving).
        variance: Divided by n - 1 (unbiased) or n (biased); batches in training are normalised by the biased one.
        eps: Added to the variance.
        sync: In a training over many devices, normalise by the batch over all of them, with an exchange in each pass of
            each layer; else each device by its own share of the batch.

    Attributes:
        across: To the other devices; None where a batch is normalised by itself.

    References:
        Ioffe and Szegedy (2015), Batch Normalization, ICML, algorithm 1.
        Exact statistics: PreciseBN of Wu and Johnson (2021), Rethinking "Batch" in BatchNorm, arXiv:2105.07576.
        Cumulative ones are torch's momentum=None.
    """

    adds_bias: ClassVar[bool] = True
    num_values: Tensor | None
    across: Across | None

    def __init__(
        self,
        momentum: Fraction = 0.1,
        statistics: Literal["auto", "moving", "cumulative", "exact"] = "auto",
        variance: Literal["unbiased", "biased"] = "unbiased",
        eps: Positive = 1e-5,
        sync: bool = False,
        *,
        num_features: int,
    ):
        super().__init__(num_features, eps, momentum)
        self.is_synced, self.across = sync, None
        self.rule = Rule(eps, momentum, statistics, variance)
        # Counted from nought at every gathering: with `auto` a checkpoint has what one of moving statistics has.
        num_values = torch.zeros((), dtype=torch.int64) if statistics in ("auto", "exact") else None
        self.register_buffer("num_values", num_values, persistent=statistics == "exact")
        self.is_gathering = False

    @property
    def mode(self) -> Mode:
        """Whose statistics the next batch is normalised by, and what becomes of its own."""
        return "training" if self.training else "gathering" if self.is_gathering else "evaluation"

    def forward(self, input: Tensor) -> Tensor:
        """Normalise (N, C) or (N, C, H, W)."""
        self._check_input_dim(input)
        mean, var, num_batches = self.running_mean, self.running_var, self.num_batches_tracked
        assert mean is not None
        assert var is not None
        assert num_batches is not None
        running = Running(mean, var, num_batches, self.num_values)
        if self.across is None:
            return normalise(input, self.weight, self.bias, running, self.rule, self.mode)
        kernel, num = partial(batch_norm, self.across), self._num_values(input)
        return normalise(input, self.weight, self.bias, running, self.rule, self.mode, kernel, num)

    def _num_values(self, input: Tensor) -> int:
        """Return the values of a channel in the batch, over all devices."""
        return (len(input) if self.across is None else sum(self.across.counts)) * space_of(input)

    def _check_input_dim(self, input: Tensor) -> None:
        if self.mode != "evaluation" and self._num_values(input) == 1:
            raise ConfigError(
                "norm: got batch norm on one value per channel; in training it needs a batch of two or more, or space"
            )


class _PerExample(nn.GroupNorm):
    """Statistics per example over groups of consecutive channels and space."""

    adds_bias: ClassVar[bool] = True
    kind: ClassVar[str]
    over: ClassVar[str]

    def forward(self, input: Tensor) -> Tensor:
        """Normalise (N, C) or (N, C, H, W).

        Raises:
            ConfigError: Statistics would be over one value, which normalises to zero whatever it was.
        """
        if input.shape[1:].numel() == self.num_groups:
            where = "vectors" if input.ndim == 2 else "1x1 maps"
            raise ConfigError(
                f"norm: got {self.kind} norm on {where} of {noun(input.shape[1], 'feature')}; it needs "
                "two or more values "
                f"per example{self.over}"
            )
        if input.dim() > 2:
            return super().forward(input)
        # Scaled as in a stack, where each trial has its weights, so that the bits are those of a row.
        return torch.addcmul(self.bias, F.group_norm(input, self.num_groups, None, None, self.eps), self.weight)


class LayerNorm(_PerExample):
    """Layer normalisation: statistics per example over all channels and space; weight and bias per channel.

    Args:
        eps: Added to the variance.

    References:
        Ba, Kiros and Hinton (2016), Layer Normalization, arXiv:1607.06450.
    """

    kind: ClassVar[str] = "layer"
    over: ClassVar[str] = ""

    def __init__(self, eps: Positive = 1e-5, *, num_features: int):
        super().__init__(1, num_features, eps)


class InstanceNorm(_PerExample):
    """Instance normalisation: statistics per example and channel over space; images only.

    Args:
        eps: Added to the variance.

    References:
        Ulyanov, Vedaldi and Lempitsky (2016), Instance Normalization, arXiv:1607.08022.
    """

    kind: ClassVar[str] = "instance"
    over: ClassVar[str] = " and channel"

    def __init__(self, eps: Positive = 1e-5, *, num_features: int):
        super().__init__(num_features, num_features, eps)


class GroupNorm(_PerExample):
    """Group normalisation: statistics per example over groups of consecutive channels and space.

    Args:
        num_groups: Number of groups; must divide the channels of every layer. The paper uses 32 on ImageNet widths.
        eps: Added to the variance.

    References:
        Wu and He (2018), Group Normalization, ECCV.
    """

    kind: ClassVar[str] = "group"
    over: ClassVar[str] = " and group"

    def __init__(self, num_groups: Count = 8, eps: Positive = 1e-5, *, num_features: int):
        if num_features % num_groups:
            raise ConfigError(
                f"norm.num_groups: got {num_groups}; it must divide the layer's {noun(num_features, 'feature')}"
            )
        super().__init__(num_groups, num_features, eps)


class NoNorm(nn.Identity):
    """Pass inputs on unchanged."""

    adds_bias: ClassVar[bool] = False

    def __init__(self, *, num_features: int = 1):
        super().__init__()
