"""Regularisers: penalties added to the loss, and constraints applied after the step.

`weight` tensors carry a leading trial axis (T, ...). A penalty has `penalty(weight) -> (T,)` and its (sub)gradient in
closed form, `gradient(weight)`; a constraint has `project(weight)`, in place. `scope` and `constraint` say what the
program hands over: "flat", all parameters of a trial at once (T, P); "matrix", each weight of two or more dimensions
(T, out, ...) by itself; "none", nothing. `biases` extends a flat penalty to biases and normalisation parameters.
Shapes: T trials, P parameters, O units (out), R the rest of a weight.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from dlexp.type import NonNegative, PerTrial, Positive


def _like(value: float | Tensor, weight: Tensor) -> float | Tensor:
    """Return a per-trial value (T, 1) with as many dimensions as `weight`."""
    return value.view(-1, *[1] * (weight.ndim - 1)) if isinstance(value, Tensor) else value


def _sum(x: Tensor) -> Tensor:
    return x.flatten(1).sum(1, keepdim=True)


@dataclass(frozen=True)
class NoRegularizer:
    """Add nothing to the loss."""

    scope = "none"
    constraint = "none"


@dataclass(frozen=True)
class L1:
    """Lasso: weight * sum |w|.

    Args:
        weight: Factor of the penalty, >= 0.
        biases: Whether biases and normalisation parameters are penalised too.

    References:
        Tibshirani (1996), Regression Shrinkage and Selection via the Lasso, JRSS B 58.
    """

    weight: PerTrial[NonNegative] = 1e-5
    biases: bool = False

    scope = "flat"
    constraint = "none"

    def penalty(self, weight: Tensor) -> Tensor:
        """Return the penalty (T,)."""
        return (_sum(weight.abs()) * self.weight).squeeze(1)

    def gradient(self, weight: Tensor) -> Tensor:
        """Return weight * sign(w), 0 at 0."""
        return weight.sign() * _like(self.weight, weight)


@dataclass(frozen=True)
class L2:
    """Ridge: weight * sum w^2; for SGD the same as optimizer.weight_decay of twice the weight.

    Args:
        weight: Factor of the penalty, >= 0.
        biases: Whether biases and normalisation parameters are penalised too.

    References:
        Hoerl and Kennard (1970), Ridge Regression, Technometrics 12.
    """

    weight: PerTrial[NonNegative] = 1e-4
    biases: bool = False

    scope = "flat"
    constraint = "none"

    def penalty(self, weight: Tensor) -> Tensor:
        """Return the penalty (T,)."""
        return (_sum(weight.square()) * self.weight).squeeze(1)

    def gradient(self, weight: Tensor) -> Tensor:
        """Return 2 * weight * w."""
        return weight * (2 * _like(self.weight, weight))


@dataclass(frozen=True)
class Elastic:
    """Elastic net: weight * sum (beta * w^2 + |w|).

    Args:
        weight: Factor of the penalty, >= 0.
        beta: Share of the squares, relative to the absolute values, >= 0.
        biases: Whether biases and normalisation parameters are penalised too.

    References:
        Zou and Hastie (2005), Regularization and Variable Selection via the Elastic Net, JRSS B 67.
    """

    weight: PerTrial[NonNegative] = 1e-5
    beta: PerTrial[NonNegative] = 1.0
    biases: bool = False

    scope = "flat"
    constraint = "none"

    def penalty(self, weight: Tensor) -> Tensor:
        """Return the penalty (T,)."""
        return ((_sum(weight.square()) * self.beta + _sum(weight.abs())) * self.weight).squeeze(1)

    def gradient(self, weight: Tensor) -> Tensor:
        """Return weight * (2 * beta * w + sign(w)), with sign(0) = 0."""
        return (weight * (2 * _like(self.beta, weight)) + weight.sign()) * _like(self.weight, weight)


@dataclass(frozen=True)
class Linf:
    """Maximum absolute row sum of each weight as a matrix (out, rest): weight * max_i r_i, r_i = sum_j |w_ij|.

    This is the operator norm that the maximum norm induces; summed over the model's weights. With `smooth` = t the
    maximum is log(sum_i exp(t r_i)) / t, which lies between max_i r_i and max_i r_i + ln(out) / t and moves all rows.

    Args:
        weight: Factor of the penalty, >= 0.
        smooth: Sharpness t of the smooth maximum, > 0; null: the maximum itself.

    References:
        Horn and Johnson (2013), Matrix Analysis, 2nd edition, example 5.6.5.
        Boyd and Vandenberghe (2004), Convex Optimization, section 3.1.5 (the smooth maximum and its bounds).
    """

    weight: PerTrial[NonNegative] = 1e-3
    smooth: PerTrial[Positive] | None = None

    scope = "matrix"
    constraint = "none"

    def penalty(self, weight: Tensor) -> Tensor:
        """Return the penalty (T,) of a weight (T, out, ...)."""
        rows_TO = weight.flatten(2).abs().sum(2)
        if self.smooth is None:
            largest_T1 = rows_TO.amax(1, keepdim=True)
        else:
            largest_T1 = (rows_TO * self.smooth).logsumexp(1, keepdim=True) / self.smooth
        return (largest_T1 * self.weight).squeeze(1)

    def gradient(self, weight: Tensor) -> Tensor:
        """Return weight * p_i * sign(w_ij), p = softmax(t r), or 1 in the (first) row of largest sum, 0 elsewhere."""
        rows_TO = weight.flatten(2).abs().sum(2)
        if self.smooth is None:
            share_TO = torch.zeros_like(rows_TO).scatter_(1, rows_TO.argmax(1, keepdim=True), 1.0)
        else:
            share_TO = (rows_TO * self.smooth).softmax(1)
        share_TO = share_TO * self.weight
        return weight.sign() * share_TO.view(*rows_TO.shape, *[1] * (weight.ndim - 2))


@dataclass(frozen=True)
class MaxNorm:
    """Max-norm constraint: the incoming weights of each unit are scaled back to norm max_norm where they exceed it.

    Args:
        max_norm: Largest Euclidean norm of a unit's incoming weights, > 0.

    References:
        Srebro and Shraibman (2005), Rank, Trace-Norm and Max-Norm, COLT.
        Srivastava et al. (2014), Dropout, JMLR 15, section 5.1 (c = 3 to 4).
    """

    max_norm: PerTrial[Positive] = 3.0

    scope = "none"
    constraint = "matrix"

    def project(self, weight: Tensor) -> None:
        """Scale each unit of a weight (T, out, ...) into the ball, in place."""
        norm_TO = weight.flatten(2).square().sum(2).sqrt()
        factor_TO = (self.max_norm / norm_TO).clamp(max=1.0)
        weight.mul_(factor_TO.view(*norm_TO.shape, *[1] * (weight.ndim - 2)))


@dataclass(frozen=True)
class NormBall:
    """Norm-ball constraint: all parameters of the model are scaled back so that sum theta^2 <= eta.

    Args:
        eta: Squared radius of the ball, > 0.

    References:
        Shalev-Shwartz, Singer, Srebro and Cotter (2011), Pegasos, Mathematical Programming 127, section 2.
    """

    eta: PerTrial[Positive] = 100.0

    scope = "none"
    constraint = "flat"

    def project(self, weight: Tensor) -> None:
        """Scale all parameters (T, P) into the ball, in place."""
        weight.mul_((self.eta / _sum(weight.square())).sqrt().clamp(max=1.0))
