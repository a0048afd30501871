"""The weighted sum of the losses of several targets. Shapes: T trials, N batch, J targets, K outputs.

L = sum_j w_j L_j, each L_j the mean over the examples that have target j; 0 where none of a batch has it.
"""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import torch
from torch import Tensor

from dlexp.error import ConfigError
from dlexp.kernel.cross_entropy import are_all_zero
from dlexp.number import noun


class JointLoss:
    """The sum over targets; outputs stand side by side, targets (T, N, J) are numbers with NaN in gaps.

    A target without gaps takes the very computation of its loss alone, on the same numbers, so that with every other
    weight zero the sum is its loss to the bit.

    Args:
        losses: Of each target.
        weights: w_j, numbers or (T, 1).
        has_gaps: Of each target, whether any example lacks it.
    """

    link = "softmax"
    is_plain_mean = False  # a mean of each target's own, in its own precision

    def __init__(self, losses: Sequence[Any], weights: Sequence[Any], has_gaps: Sequence[bool]) -> None:
        self.losses, self.weights, self.has_gaps = list(losses), list(weights), list(has_gaps)
        self.head_sizes: list[int] = [loss.num_outputs for loss in losses]
        self.num_outputs = sum(self.head_sizes)

    def __call__(self, outputs_TNK: Tensor, targets_TNJ: Tensor) -> Tensor:
        """Return the loss (T,)."""
        return reduce(torch.add, self.terms(outputs_TNK, targets_TNJ))

    def terms(self, outputs_TNK: Tensor, targets_TNJ: Tensor) -> list[Tensor]:
        """Return what the loss adds up, (T,) each: of every target its weight times its mean."""
        return self._weighted(self._means(outputs_TNK, targets_TNJ))

    def masses(self, targets_TNJ: Tensor, dtype: torch.dtype) -> list[Tensor | None] | None:
        """Return what the mean of each target is over: the number of examples that have it (T,), None for all.

        Where no target has gaps it is None of all.
        """
        if not any(self.has_gaps):
            return None
        num_TJ = (~targets_TNJ.isnan()).sum(1).to(dtype)
        return [num_TJ[:, j] if gaps else None for j, gaps in enumerate(self.has_gaps)]

    def _means(self, outputs_TNK: Tensor, targets_TNJ: Tensor) -> list[Tensor]:
        """Return the mean loss (T,) of each target."""
        return [
            _masked_mean(*_each(loss, outputs, targets)) if gaps else loss(outputs, _whole(loss, targets))
            for loss, gaps, (outputs, targets) in zip(
                self.losses, self.has_gaps, self.apart(outputs_TNK, targets_TNJ), strict=True
            )
        ]

    def examples(self, outputs_TNK: Tensor, targets_TNJ: Tensor) -> Tensor:
        """Return (T, N) numbers whose mean is the loss and whose spread tells its standard error.

        Of a target with gaps it is the influence L_j + N / n_j m_n (l_n - L_j), m_n = 1 for the n_j examples that have
        it.
        """
        terms = []
        for loss, gaps, (outputs, targets) in zip(
            self.losses, self.has_gaps, self.apart(outputs_TNK, targets_TNJ), strict=True
        ):
            each_TN, is_there_TN = _each(loss, outputs, targets)
            if gaps:
                mean_T1 = _masked_mean(each_TN, is_there_TN)[:, None]
                factor_T1 = each_TN.shape[1] / is_there_TN.sum(1, keepdim=True).clamp(min=1)
                each_TN = mean_T1 + torch.where(is_there_TN, factor_T1 * (each_TN - mean_T1), 0.0)
            terms.append(each_TN)
        return reduce(torch.add, self._weighted(terms))

    def apart(self, outputs_TNK: Tensor, targets_TNJ: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Return outputs (T, N, K_j) and targets (T, N) of each target, in memory as they are alone."""
        outputs = outputs_TNK.split(self.head_sizes, -1)
        return [(narrow(each).contiguous(), targets_TNJ[..., j]) for j, each in enumerate(outputs)]

    def _weighted(self, terms: list[Tensor]) -> list[Tensor]:
        return [
            term * (_beside(weight, term) if isinstance(weight, Tensor) else weight)
            for weight, term in zip(self.weights, terms, strict=True)
        ]


def _beside(weight_T1: Tensor, term: Tensor) -> Tensor:
    """Return weights as a term (T,) or (T, N) takes them."""
    weight_T1 = weight_T1.to(term)
    return weight_T1[:, 0] if term.dim() == 1 else weight_T1


def joint(heads: Sequence[Any], weights: Sequence[Any] | None, make: Callable[..., Any]) -> JointLoss:
    """Return the sum of the losses of the targets' tasks.

    Args:
        heads: What the targets are: `name`, `task`, `num_classes`, `has_gaps`.
        weights: Of each; None for 1.
        make: Returns the loss of a `task` and `num_classes`.

    Raises:
        ConfigError: Not one weight for each target, or no weight above 0.
    """
    names = ", ".join(head.name for head in heads)
    if weights is not None and len(weights) != len(heads):
        raise ConfigError(f"loss.weights: got {noun(len(weights), 'weight')}; the data have the targets {names}")
    if weights is not None and are_all_zero(weights):
        raise ConfigError(f"loss.weights: got 0 for every target; one of {names} must be learnt")
    losses = [make(task=head.task, num_classes=head.num_classes) for head in heads]
    return JointLoss(losses, weights or [1.0] * len(heads), [head.has_gaps for head in heads])


def narrow(outputs: Tensor) -> Tensor:
    """Return float64 numbers that came from float32 as such again: beside values, classes are brought to float64."""
    if outputs.dtype != torch.float64 or outputs.requires_grad:
        return outputs
    single = outputs.float()
    return single if torch.equal(single.double().nan_to_num(), outputs.nan_to_num()) else outputs


def _each(loss: Any, outputs_TNK: Tensor, targets_TN: Tensor) -> tuple[Tensor, Tensor]:
    """Return the loss of each example (T, N), and whether it has the target; of one that has not, any number."""
    is_there_TN = ~targets_TN.isnan()
    filled_TN = _whole(loss, targets_TN.nan_to_num(0.0))
    each = loss(outputs_TNK.flatten(0, 1)[:, None, :], filled_TN.flatten()[:, None])
    return each.view(targets_TN.shape), is_there_TN


def _whole(loss: Any, targets_TN: Tensor) -> Tensor:
    """Return classes as int64; values as they are."""
    return targets_TN.long() if hasattr(loss, "link") else targets_TN.contiguous()


def _masked_mean(each_TN: Tensor, is_there_TN: Tensor) -> Tensor:
    return torch.where(is_there_TN, each_TN, 0.0).sum(1) / is_there_TN.sum(1).clamp(min=1)
