"""The layers of a dense net, each with its backward pass as a call of the kernel that autograd calls.

They give autograd's numbers, because kernels and operands are the same. What a forward pass leaves for the backward
pass is freed there. Shapes: N batch, D inputs, E outputs of a layer.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from dlexp.dropout import Classic, Inverted
from dlexp.engine.dense.link import Trained, is_trained
from dlexp.kernel.batch_norm import Mode, Rule, Running, normalise

_ATEN: Any = torch.ops.aten
_BATCH_NORM_BACKWARD = _ATEN.native_batch_norm_backward.default
_GROUP_NORM_BACKWARD = _ATEN.native_group_norm_backward.default

Gradient = Callable[[Tensor, Tensor, Tensor], Tensor]  # gradient by y, x and y to the gradient by x


class Linear:
    """y = x W^T + b."""

    def __init__(self, weight: Trained, bias: Trained | None) -> None:
        self._weight, self._bias = weight, bias
        self._needs_x = True

    def need(self, is_needed: bool) -> bool:
        """See `Link`."""
        self._needs_x = is_needed
        return is_needed or is_trained(self._weight, self._bias)

    def forward(self, x_ND: Tensor, /) -> Tensor:
        """See `Link`."""
        self._x_ND = x_ND
        return F.linear(x_ND, self._weight.value, None if self._bias is None else self._bias.value)

    def backward(self, grad_NE: Tensor, is_first: bool, /) -> Tensor | None:
        """See `Link`."""
        x_ND = self._x_ND
        del self._x_ND
        by_weight = self._weight.grad
        if by_weight is not None:
            if is_first:
                torch.mm(grad_NE.t(), x_ND, out=by_weight)
            else:
                by_weight.add_(torch.mm(grad_NE.t(), x_ND))
        if self._bias is not None:
            self._bias.write_sum(grad_NE, is_first)
        return torch.mm(grad_NE, self._weight.value) if self._needs_x else None


class BatchNorm:
    """See `dlexp.norm.BatchNorm`."""

    def __init__(
        self,
        weight: Trained,
        bias: Trained,
        running: Running,
        rule: Rule,
        check: Callable[..., None],
        mode: Mode = "training",
    ) -> None:
        """Take a layer's tensors.

        Args:
            weight: Scale.
            bias: Shift.
            running: What evaluation takes; changed in place.
            rule: How it is kept.
            check: Refuses inputs that cannot be normalised.
            mode: By whose statistics: the batch's in training, the running ones in evaluation.
        """
        self._weight, self._bias, self._running, self._rule, self._check = weight, bias, running, rule, check
        self._mode: Mode = mode
        self._needs_x = True

    def need(self, is_needed: bool) -> bool:
        """See `Link`."""
        self._needs_x = is_needed
        return is_needed or is_trained(self._weight, self._bias)

    def forward(self, x_ND: Tensor, /) -> Tensor:
        """See `Link`."""
        self._check(x_ND)
        weight, bias = self._weight.value, self._bias.value
        return normalise(x_ND, weight, bias, self._running, self._rule, self._mode, self._kernel)

    def _kernel(
        self,
        x_ND: Tensor,
        mean: Tensor | None,
        var: Tensor | None,
        weight: Tensor,
        bias: Tensor,
        training: bool,
        momentum: float,
        eps: float,
    ) -> Tensor:
        y_ND, *batch = torch.native_batch_norm(x_ND, weight, bias, mean, var, training, momentum, eps)
        self._saved = x_ND, mean, var, *batch
        return y_ND

    def backward(self, grad_NE: Tensor, is_first: bool, /) -> Tensor | None:
        """See `Link`."""
        grad_ND, by_weight, by_bias = self._gradients(grad_NE, self._weight.value)
        self._weight.write(by_weight, is_first)
        self._bias.write(by_bias, is_first)
        return grad_ND if self._needs_x else None

    def _gradients(self, grad_NE: Tensor, weight: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        """Return the gradients by x, weight and bias, None for one that is not wanted."""
        x_ND, mean, var, *batch = self._saved
        del self._saved
        wanted = [self._needs_x, self._weight.grad is not None, self._bias.grad is not None]
        is_training = self._mode == "training"
        return _BATCH_NORM_BACKWARD(grad_NE, x_ND, weight, mean, var, *batch, is_training, self._rule.eps, wanted)


class GroupNorm:
    """Statistics per example over groups of features; see `dlexp.norm`."""

    def __init__(self, weight: Trained, bias: Trained, num_groups: int, eps: float) -> None:
        self._weight, self._bias, self._num_groups, self._eps = weight, bias, num_groups, eps
        self._needs_x = True

    def need(self, is_needed: bool) -> bool:
        """See `Link`."""
        self._needs_x = is_needed
        return is_needed or is_trained(self._weight, self._bias)

    def forward(self, x_ND: Tensor, /) -> Tensor:
        """See `Link`."""
        num, num_features = x_ND.shape
        y_ND, *batch = torch.native_group_norm(x_ND, None, None, num, num_features, 1, self._num_groups, self._eps)
        self._saved = x_ND, y_ND, batch
        return torch.addcmul(self._bias.value, y_ND, self._weight.value)

    def backward(self, grad_NE: Tensor, is_first: bool, /) -> Tensor | None:
        """See `Link`."""
        x_ND, y_ND, batch = self._saved
        del self._saved
        self._weight.write((grad_NE * y_ND).sum(0), is_first)
        self._bias.write(grad_NE.sum(0), is_first)
        if not self._needs_x:
            return None
        grad_NE = grad_NE * self._weight.value
        sizes = (*x_ND.shape, 1, self._num_groups)
        return _GROUP_NORM_BACKWARD(grad_NE, x_ND, *batch, None, *sizes, [True, False, False])[0]


class Activation:
    """An elementwise function."""

    def __init__(self, function: Callable[[Tensor], Tensor], gradient: Gradient) -> None:
        self._function, self._gradient = function, gradient

    def need(self, is_needed: bool) -> bool:
        """See `Link`."""
        return is_needed

    def forward(self, x_ND: Tensor, /) -> Tensor:
        """See `Link`."""
        y_ND = self._function(x_ND)
        self._saved = x_ND, y_ND
        return y_ND

    def backward(self, grad_NE: Tensor, is_first: bool, /) -> Tensor:
        """See `Link`."""
        x_ND, y_ND = self._saved
        del self._saved
        return self._gradient(grad_NE, x_ND, y_ND)


class Dropout:
    """See `dlexp.dropout`."""

    def __init__(self, module: Inverted | Classic) -> None:
        self._module = module

    def need(self, is_needed: bool) -> bool:
        """See `Link`."""
        return is_needed

    def forward(self, x_ND: Tensor) -> Tensor:
        """See `Link`."""
        self._factor_ND = self._module.factor(x_ND)
        return x_ND * self._factor_ND

    def backward(self, grad_NE: Tensor, is_first: bool) -> Tensor:
        """See `Link`."""
        grad_ND = grad_NE * self._factor_ND
        del self._factor_ND
        return grad_ND


class Flatten:
    """Images (N, C, H, W), or vectors, as vectors (N, D)."""

    def need(self, is_needed: bool) -> bool:
        """See `Link`."""
        return is_needed

    def forward(self, x: Tensor) -> Tensor:
        """See `Link`."""
        self._shape = x.shape
        return x.flatten(1)

    def backward(self, grad_NE: Tensor, is_first: bool) -> Tensor:
        """See `Link`."""
        return grad_NE.view(self._shape)
