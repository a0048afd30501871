"""Losses: the mean over a trial's batch, one number per trial.

`outputs` are (T, N, K) logits or scores, (T, N, 1) for one output; targets are (T, N) class indices (int64), (T, N, K)
class probabilities (from mixup and the like) or, for regression, (T, N) values; those of reconstructions are the
inputs (T, N, K). The model needs `num_outputs` outputs, and `link` says how they become probabilities
(`dlexp.metric.probability`; softmax where a loss says nothing).
Shapes: T trials, N batch, K classes. With z outputs, s = softmax(z), y the target.
"""

from functools import reduce
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from dlexp.device import send_soon
from dlexp.embedding.loss import Cosine
from dlexp.error import ConfigError
from dlexp.kernel.cross_entropy import divisor, mass_of_classes, mean_square_lse, require_weights
from dlexp.kernel.joint_loss import JointLoss, joint
from dlexp.type import RECONSTRUCT, SEVERAL, NonNegative, PerTrial, Positive, Probability

_OF_OTHERS = {"regression": "mse, mae or huber", RECONSTRUCT: "mse", "pairs": "cosine or contrastive"}


def _require(task: str, loss: str) -> None:
    if task == SEVERAL:
        raise ConfigError(f"loss: got {loss}; of several targets each has the loss of its task: choose auto")
    allowed = _OF_OTHERS.get(task, "cross_entropy, bce or hinge")
    if loss not in allowed.replace(" or ", ", ").split(", "):
        raise ConfigError(f"loss: got {loss}; the task is {task}: choose {allowed}, or auto")


class CrossEntropy:
    """Softmax cross-entropy: -sum_n w_y log s_y / sum_n w_y.

    With label smoothing e, the target becomes (1 - e) * onehot(y) + e / K; with class weights, each term k carries w_k.
    Probability targets p: -sum_nk w_k p_k log s_k / N, as torch has it.

    Args:
        label_smoothing: Share e of the target spread evenly over all classes, in [0, 1).
        class_weight: One weight per class, `balanced` (from the training targets; see `dlexp.data.balance`), or null.
        lse_penalty: Factor c of a penalty on log-sum-exp, c * mean_n (log sum_k exp z_nk)^2, which ties down the
            constant that the softmax leaves free in the logits, >= 0.

    References:
        Bridle (1990), Probabilistic Interpretation of Feedforward Classification Network Outputs, Neurocomputing.
        Szegedy et al. (2016), Rethinking the Inception Architecture, CVPR, section 7 (label smoothing).
        Chowdhery et al. (2022), PaLM, arXiv:2204.02311, section 5 (penalty on log Z, 1e-4).
    """

    link = "softmax"

    def __init__(
        self,
        label_smoothing: PerTrial[Probability] = 0.0,
        class_weight: PerTrial[list[NonNegative]] | Literal["balanced"] | None = None,
        lse_penalty: PerTrial[NonNegative] = 0.0,
        *,
        task: str = "multiclass",
        num_classes: int,
    ):
        _require(task, "cross_entropy")
        if isinstance(class_weight, list):
            require_weights(class_weight, num_classes)
        self.num_outputs = num_classes
        self.label_smoothing = label_smoothing
        self.class_weight = class_weight
        self.lse_penalty = lse_penalty
        self._made: tuple[Any, Tensor] | None = None

    @property
    def is_plain_mean(self) -> bool:
        """Whether the loss of a batch is the mean of the examples' to the bit: no weights, no penalty added after."""
        return self.class_weight is None and not self._is_penalised

    def __call__(self, outputs_TNK: Tensor, targets: Tensor) -> Tensor:
        """Return the loss (T,)."""
        return reduce(torch.add, self.terms(outputs_TNK, targets))

    def terms(self, outputs_TNK: Tensor, targets: Tensor) -> list[Tensor]:
        """Return what the loss adds up, (T,) each: the cross-entropy, and the penalty where there is one."""
        logp_TNK = F.log_softmax(outputs_TNK, -1)
        loss_T = self._cross_entropy(logp_TNK, targets)
        squares_T1 = mean_square_lse(outputs_TNK, logp_TNK) if self._is_penalised else None
        return [loss_T] if squares_T1 is None else [loss_T, (squares_T1 * self.lse_penalty).squeeze(1)]

    @property
    def _is_penalised(self) -> bool:
        return isinstance(self.lse_penalty, Tensor) or self.lse_penalty != 0

    def _cross_entropy(self, logp_TNK: Tensor, targets: Tensor) -> Tensor:
        weight = self._weights_on(logp_TNK)
        weighted_TNK = logp_TNK if weight is None else logp_TNK * weight
        if targets.ndim == 3:
            return self._of_probabilities(weighted_TNK, targets)
        flat = F.nll_loss(weighted_TNK.flatten(0, 1), targets.flatten(), reduction="none")
        loss_TN = flat.view(targets.shape)
        if isinstance(self.label_smoothing, Tensor) or self.label_smoothing != 0:
            loss_TN = loss_TN * (1 - self.label_smoothing) - weighted_TNK.mean(-1) * self.label_smoothing
        if weight is None:
            return loss_TN.mean(1)
        return loss_TN.sum(1) / divisor(mass_of_classes(weight, targets))

    def masses(self, targets: Tensor, dtype: torch.dtype) -> list[Tensor | None] | None:
        """Return what each of the terms is divided by: (T,) or (1,), None for the size; None where that is of all."""
        weight = None if targets.ndim == 3 else self._weights_on(torch.empty(0, dtype=dtype, device=targets.device))
        return None if weight is None else [mass_of_classes(weight, targets), *[None] * self._is_penalised]

    def _of_probabilities(self, weighted_TNK: Tensor, p_TNK: Tensor) -> Tensor:
        smoothing = self.label_smoothing
        smoothing = smoothing[..., None] if isinstance(smoothing, Tensor) else smoothing
        p_TNK = p_TNK * (1 - smoothing) + smoothing / self.num_outputs
        return -(p_TNK * weighted_TNK).sum(-1).mean(1)

    def _weights_on(self, like: Tensor) -> Tensor | None:
        """Return the class weights as a tensor (1, 1, K), or (T, 1, K) where trials differ."""
        weight = self.class_weight
        assert weight != "balanced", "whoever builds the loss puts the numbers in its place: see dlexp.data.balance"
        if weight is None:
            return None
        if self._made is None or self._made[0] is not weight or self._made[1].dtype != like.dtype:
            columns = [torch.as_tensor(each, dtype=like.dtype).reshape(-1, 1) for each in weight]
            self._made = weight, send_soon(torch.stack(columns, -1), like.device)
        return self._made[1]


class BCE:
    """Binary log loss: -mean(alpha * y * log s + beta * (1 - y) * log(1 - s)), s = sigmoid(z).

    Two classes take one output, y = 1 for the second class; K classes take K outputs, each one class against the rest,
    and the K losses are added.

    Args:
        alpha: Weight of the positive class, > 0.
        beta: Weight of the negative class, > 0.

    References:
        Good (1952), Rational Decisions, Journal of the Royal Statistical Society B 14.
    """

    def __init__(
        self,
        alpha: PerTrial[Positive] = 1.0,
        beta: PerTrial[Positive] = 1.0,
        *,
        task: str = "binary",
        num_classes: int = 2,
    ):
        _require(task, "bce")
        self.num_outputs = 1 if num_classes == 2 else num_classes
        self.link = "softmax" if num_classes == 2 else "sigmoid"
        self.alpha, self.beta = alpha, beta

    def __call__(self, outputs_TNK: Tensor, targets: Tensor) -> Tensor:
        """Return the loss (T,)."""
        y_TNK = _indicators(targets, self.num_outputs).to(outputs_TNK.dtype)
        # log(1 - s) = log s - z. Unlike softplus, logsigmoid rounds alike in the vector body and tail of its kernel: a
        # trial's numbers do not depend on its place in a stack.
        log_s_TNK = F.logsigmoid(outputs_TNK)
        positive_TN = (y_TNK * log_s_TNK).sum(-1)
        negative_TN = ((1 - y_TNK) * (log_s_TNK - outputs_TNK)).sum(-1)
        return -(positive_TN * self.alpha + negative_TN * self.beta).mean(1)


def _indicators(targets: Tensor, num_outputs: int) -> Tensor:
    """Return (T, N, num_outputs) indicators or probabilities of the classes; the second class's for one output."""
    if targets.ndim == 2:
        return targets[..., None] if num_outputs == 1 else F.one_hot(targets, num_outputs)
    return targets[..., 1:] if num_outputs == 1 else targets


class Hinge:
    """Multi-class hinge: the margin violations max(0, margin + z_j - z_y), j != y, added or their maximum.

    Args:
        margin: Lead that the right class must have, > 0.
        form: `weston_watkins` adds the violations, `crammer_singer` takes the largest.

    References:
        Weston and Watkins (1999), Support Vector Machines for Multi-Class Pattern Recognition, ESANN.
        Crammer and Singer (2001), On the Algorithmic Implementation of Multiclass Kernel-based Machines, JMLR 2.
    """

    link = "margin"

    def __init__(
        self,
        margin: PerTrial[Positive] = 1.0,
        form: Literal["weston_watkins", "crammer_singer"] = "weston_watkins",
        *,
        task: str = "multiclass",
        num_classes: int,
    ):
        _require(task, "hinge")
        self.num_outputs = num_classes
        self.margin, self.form = margin, form

    def __call__(self, outputs_TNK: Tensor, targets: Tensor) -> Tensor:
        """Return the loss (T,).

        Raises:
            ConfigError: The targets are probabilities.
        """
        if targets.ndim == 3:
            raise ConfigError("loss: got hinge with mixed labels; it needs one class per example, not mixup or cutmix")
        index_TN1 = targets[..., None]
        margin = self.margin[..., None] if isinstance(self.margin, Tensor) else self.margin
        violation_TNK = (outputs_TNK - outputs_TNK.gather(-1, index_TN1) + margin).clamp(min=0)
        violation_TNK = violation_TNK.scatter(-1, index_TN1, 0.0)
        per_example = violation_TNK.sum(-1) if self.form == "weston_watkins" else violation_TNK.amax(-1)
        return per_example.mean(1)


class MSE:
    """Mean squared error: mean((z - y)^2); of reconstructions over all inputs of an example too."""

    def __init__(self, *, task: str = "regression", num_inputs: int = 0):
        _require(task, "mse")
        self.num_outputs = num_inputs if task == RECONSTRUCT else 1

    def __call__(self, outputs_TNK: Tensor, targets: Tensor) -> Tensor:
        """Return the loss (T,).

        Args:
            outputs_TNK: Values (T, N, 1) or reconstructions; with targets (T, N) the first column counts, as
                `dlexp.engine.answer.inputs` has error and spread of each example.
            targets: (T, N) values or (T, N, K) inputs.
        """
        if targets.ndim == 3:
            return (outputs_TNK - targets).square().mean(-1).mean(1)
        return (outputs_TNK[..., 0] - targets).square().mean(1)


class MAE:
    """Mean absolute error: mean(|z - y|)."""

    num_outputs = 1

    def __init__(self, *, task: str = "regression"):
        _require(task, "mae")

    def __call__(self, outputs_TN1: Tensor, targets_TN: Tensor) -> Tensor:
        """Return the loss (T,)."""
        return (outputs_TN1.squeeze(-1) - targets_TN).abs().mean(1)


class Huber:
    """Huber's loss: e^2 / 2 where |e| = |z - y| <= delta, delta * (|e| - delta / 2) beyond.

    Args:
        delta: Error, in standard deviations of the training targets, from which the loss grows linearly, > 0.

    References:
        Huber (1964), Robust Estimation of a Location Parameter, Annals of Mathematical Statistics 35.
    """

    num_outputs = 1

    def __init__(self, delta: PerTrial[Positive] = 1.0, *, task: str = "regression"):
        _require(task, "huber")
        self.delta = delta

    def __call__(self, outputs_TN1: Tensor, targets_TN: Tensor) -> Tensor:
        """Return the loss (T,)."""
        error_TN = (outputs_TN1.squeeze(-1) - targets_TN).abs()
        inner_TN = error_TN.clamp(max=self.delta)
        return (inner_TN * (error_TN - 0.5 * inner_TN)).mean(1)


def auto(
    weights: PerTrial[list[NonNegative]] | None = None,
    *,
    task: str,
    num_classes: int,
    num_inputs: int = 0,
    heads: Any = (),
) -> CrossEntropy | BCE | MSE | Cosine | JointLoss:
    """The task's own: cross-entropy for many classes, binary log loss for two, squared error for values and inputs.

    Of pairs it is the cosine loss; of several targets each has that of its task, and the loss is their weighted sum.

    Args:
        weights: One for each of several targets, in the order of `data.target`, >= 0; null for 1 each.
        task: Of the data.
        num_classes: K of one target; 0 for values.
        num_inputs: D of reconstructed inputs.
        heads: What each of several targets is: `name`, `task`, `num_classes`, `has_gaps`.
    """
    if task == SEVERAL:
        return joint(heads, weights, auto)
    if weights is not None:
        raise ConfigError("loss.weights: has no effect on one target; data.target=[a,b] names several")
    if task == "pairs":
        return Cosine(task=task)
    if task in _OF_OTHERS:
        return MSE(task=task, num_inputs=num_inputs)
    return BCE(task=task, num_classes=2) if task == "binary" else CrossEntropy(task=task, num_classes=num_classes)
