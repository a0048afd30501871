"""The links of a stack's dense net: both passes of T nets at once, without autograd, as `dlexp.engine.dense` has one's.

Examples are one trial's after another's (T * N, D), as in `dlexp.engine.stack.batched`, whose kernels these are, in its
order: the bits are the same. What is not written out runs as its layers do. Autograd, and layers as modules, take as
long as the kernels of a small net.
Shapes: T trials, N batch, D inputs, E outputs, C channels, P = T * C.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from dlexp import norm as norms
from dlexp.dropout import Classic, Inverted, stack_factor
from dlexp.engine.dense.chain import Chain, Reader
from dlexp.engine.dense.layer import Activation, BatchNorm, Gradient
from dlexp.engine.dense.link import Link, Trained, is_trained
from dlexp.engine.stack.linear import gradients, outputs
from dlexp.kernel.batch_norm import Running, is_whole, normalise

if TYPE_CHECKING:
    from dlexp.engine.stack.batched import Batched

UNEVEN = (nn.ELU, nn.SiLU, nn.Sigmoid)  # their kernels round the last elements of a tensor, beyond its whole vectors,
VECTOR = 32  # of so many elements at most, unlike the others


def stack_chain_of(model: nn.Module, stack: "Batched") -> Chain | None:
    """Return the chain of a stack; None where it is to run layer by layer.

    Args:
        model: A module of the stack's structure, in which layers are what they were.
        stack: Its tensors are looked up at each pass: trials may leave.
    """
    if stack.flat.tensor.device.type != "cpu":
        return None
    link = _StackReader(model, stack).read_whole(model)
    return None if link is None else Chain(stack.template, link, lambda: stack.num_trials)


class _Rows(Trained):
    """A parameter of all trials (T, *shape)."""

    def __init__(self, stack: "Batched", name: str) -> None:
        self._stack = stack
        self._place = stack.flat.names.index(name) if name in stack.flat.names else None
        self._name = name

    @property
    def value(self) -> Tensor:
        """See `Trained`."""
        return self._stack.buffers[self._name] if self._place is None else self._stack.flat.views[self._place]

    @property
    def grad(self) -> Tensor | None:
        """See `Trained`."""
        return None if self._place is None else self._stack.grad_views[self._place]


class _StackReader(Reader):
    def __init__(self, model: nn.Module, stack: "Batched") -> None:
        super().__init__({})
        self._stack = stack
        self._parameters = {id(parameter): name for name, parameter in model.named_parameters()}
        self._modules = {id(module): name for name, module in model.named_modules()}

    def trained(self, parameter: Tensor) -> Trained:
        self.seen.append(id(parameter))
        return _Rows(self._stack, self._parameters[id(parameter)])

    def linear(self, layer: nn.Linear) -> Link:
        return _Linear(*self.weight_and_bias(layer))

    def batch_norm(self, layer: norms.BatchNorm) -> Link | None:
        """Return None where a trial's channels are no whole vectors: gradients are then taken one trial's at a time."""
        if not is_whole(layer.weight):
            return None
        path = self._modules[id(layer)]
        buffers = [f"{path}.{name}" for name in ("running_mean", "running_var", "num_batches_tracked", "num_values")]

        def running() -> Running:
            mean_TC, var_TC, num_batches_T, num_values_T = map(self._stack.buffers.get, buffers)
            assert mean_TC is not None
            assert var_TC is not None
            assert num_batches_T is not None
            return Running(mean_TC.view(-1), var_TC.view(-1), num_batches_T, num_values_T)

        return _BatchNorm(self.trained(layer.weight), self.trained(layer.bias), running, layer)

    def group_norm(self, layer: nn.GroupNorm) -> Link:
        return _GroupNorm(self.trained(layer.weight), self.trained(layer.bias), layer.num_groups, layer.eps)

    def dropout(self, layer: Inverted | Classic) -> Link:
        path, buffers = self._modules[id(layer)], self._stack
        return _Dropout(
            lambda x_TN: stack_factor(
                x_TN, buffers.buffers[f"{path}.seed"], buffers.buffers[f"{path}.p"], isinstance(layer, Inverted)
            ),
            self._stack,
        )

    def activation(self, module: nn.Module, gradient: Gradient) -> Link:
        if isinstance(module, UNEVEN):
            return _Uneven(module.forward, gradient, self._stack)
        return super().activation(module, gradient)


class _Linear:
    """y = x W^T + b of each trial."""

    def __init__(self, weight: Trained, bias: Trained | None) -> None:
        self._weight, self._bias = weight, bias
        self._needs_x = True

    def need(self, is_needed: bool) -> bool:
        self._needs_x = is_needed
        return is_needed or is_trained(self._weight, self._bias)

    def forward(self, x: Tensor) -> Tensor:
        weight_TED, bias = self._weight.value, self._bias
        self._x_TND = x.view(len(weight_TED), -1, x.shape[-1])
        return outputs(self._x_TND, weight_TED, None if bias is None else bias.value).flatten(0, 1)

    def backward(self, grad: Tensor, is_first: bool) -> Tensor | None:
        x_TND, weight_TED, bias = self._x_TND, self._weight.value, self._bias
        del self._x_TND
        grad_TNE = grad.view(*x_TND.shape[:2], -1)
        needs = (self._needs_x, self._weight.grad is not None, is_trained(bias))
        by_x, by_weight, by_bias = gradients(grad_TNE, x_TND, weight_TED, needs)
        if by_weight is not None:
            self._weight.write(by_weight, is_first)
        if by_bias is not None and bias is not None:
            bias.write(by_bias, is_first)
        return None if by_x is None else by_x.flatten(0, 1)


class _BatchNorm(BatchNorm):
    """Vectors of all trials side by side, as `dlexp.kernel.batch_norm.normalise_stack` has them."""

    def __init__(self, weight: Trained, bias: Trained, running: Callable[[], Running], layer: norms.BatchNorm) -> None:
        self._weight, self._bias, self._of_trials, self._rule = weight, bias, running, layer.rule
        self._needs_x = True

    def forward(self, x: Tensor) -> Tensor:
        weight_TC, bias_TC = self._weight.value, self._bias.value
        self._weight_P = weight_TC.reshape(-1)
        x_NP = x.view(len(weight_TC), -1, x.shape[-1]).transpose(0, 1).flatten(1)
        running = self._of_trials()
        y_NP = normalise(x_NP, self._weight_P, bias_TC.reshape(-1), running, self._rule, "training", self._kernel)
        return y_NP.view(-1, *weight_TC.shape).transpose(0, 1).flatten(0, 1)

    def backward(self, grad: Tensor, is_first: bool) -> Tensor | None:
        num_trials, num_channels = self._weight.value.shape
        grad_NP = grad.view(num_trials, -1, num_channels).transpose(0, 1).flatten(1)
        grad_NP, by_weight_P, by_bias_P = self._gradients(grad_NP, self._weight_P)
        del self._weight_P
        self._weight.write(by_weight_P.view(num_trials, -1), is_first)
        self._bias.write(by_bias_P.view(num_trials, -1), is_first)
        return grad_NP.view(-1, num_trials, num_channels).transpose(0, 1).flatten(0, 1) if self._needs_x else None


class _GroupNorm:
    """Statistics per example; scale and shift of its trial."""

    def __init__(self, weight: Trained, bias: Trained, num_groups: int, eps: float) -> None:
        self._weight, self._bias, self._num_groups, self._eps = weight, bias, num_groups, eps
        self._needs_x = True

    def need(self, is_needed: bool) -> bool:
        self._needs_x = is_needed
        return is_needed or is_trained(self._weight, self._bias)

    def forward(self, x: Tensor) -> Tensor:
        weight_TC, bias_TC = self._weight.value, self._bias.value
        num, num_channels = x.shape
        y, *batch = torch.native_group_norm(x, None, None, num, num_channels, 1, self._num_groups, self._eps)
        self._saved = x, y, batch
        y_TNC = y.view(len(weight_TC), -1, y.shape[-1])
        return torch.addcmul(bias_TC.unsqueeze(1), y_TNC, weight_TC.unsqueeze(1)).flatten(0, 1)

    def backward(self, grad: Tensor, is_first: bool) -> Tensor | None:
        x, y, batch = self._saved
        del self._saved
        weight_TC = self._weight.value
        grad_TNC = grad.view(len(weight_TC), -1, grad.shape[-1])
        self._weight.write((grad_TNC * y.view(grad_TNC.shape)).sum(1), is_first)
        self._bias.write(grad_TNC.sum(1), is_first)
        if not self._needs_x:
            return None
        by_y = (grad_TNC * weight_TC.unsqueeze(1)).flatten(0, 1)
        sizes = (*x.shape, 1, self._num_groups)
        backward = torch.ops.aten.native_group_norm_backward.default
        return backward(by_y, x, *batch, None, *sizes, [True, False, False])[0]


class _Dropout:
    """A mask of each trial's own seed and rate."""

    def __init__(self, factor: Callable[[Tensor], Tensor], stack: "Batched") -> None:
        self._factor_of, self._stack = factor, stack

    def need(self, is_needed: bool) -> bool:
        return is_needed

    def forward(self, x: Tensor) -> Tensor:
        x_TN = x.unflatten(0, (self._stack.num_trials, -1))
        self._factor = self._factor_of(x_TN)
        return (x_TN * self._factor).flatten(0, 1)

    def backward(self, grad: Tensor, is_first: bool) -> Tensor:
        grad = (grad.view(self._factor.shape) * self._factor).flatten(0, 1)
        del self._factor
        return grad


class _Uneven(Activation):
    """An elementwise function, trial by trial where the kernel rounds a trial's last elements otherwise."""

    def __init__(self, function: Callable[[Tensor], Tensor], gradient: Gradient, stack: "Batched") -> None:
        super().__init__(function, gradient)
        self._stack = stack

    def forward(self, x: Tensor) -> Tensor:
        chunks = x.chunk(self._chunks(x))
        y = torch.cat([self._function(chunk) for chunk in chunks]) if len(chunks) > 1 else self._function(x)
        self._saved = x, y
        return y

    def backward(self, grad: Tensor, is_first: bool) -> Tensor:
        tensors = (grad, *self._saved)
        del self._saved
        num = self._chunks(grad)
        if num == 1:
            return self._gradient(*tensors)
        rows = zip(*(tensor.chunk(num) for tensor in tensors), strict=True)
        return torch.cat([self._gradient(*row) for row in rows])

    def _chunks(self, x: Tensor) -> int:
        num_trials = self._stack.num_trials
        return 1 if x.numel() // num_trials % VECTOR == 0 else num_trials
