"""The links of a stack's dense net: both passes of T nets at once, without autograd, as `dlexp.engine.dense` has one's.

They pass on (T, N, D), in whatever order in memory their kernels leave: a batch norm's has the trials side by side,
from where products and activations take them as they lie. Kernels and their order are those of
`dlexp.engine.stack.batched`: the bits are the same. What is not written out runs as its layers do. Autograd, and layers
as modules, take as long as the kernels of a small net.
Shapes: T trials, N batch, D inputs, E outputs, C channels, P = T * C.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from dlexp import norm as norms
from dlexp.dropout import Classic, Inverted, stack_factor
from dlexp.engine.dense.chain import Chain, Reader, mode_of
from dlexp.engine.dense.layer import Activation, BatchNorm, Gradient, GroupNorm, Linear
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
    return None if link is None else _StackChain(stack.template, link, stack)


class _StackChain(Chain):
    """The passes of T nets, whose links see all examples at once."""

    def __init__(self, model: nn.Module, link: Link, stack: "Batched") -> None:
        super().__init__(model, link)
        self._stack = stack

    @property
    def num_trials(self) -> int:
        return self._stack.num_trials

    def _ahead(self, x: Tensor, is_shared: bool) -> Tensor:
        """See `Chain`; examples that trials share are there once."""
        x_TN = x.contiguous().expand(self.num_trials, *x.shape) if is_shared else x
        return self._link.forward(x_TN).flatten(0, 1)

    def _back(self, grad_MK: Tensor, is_first: bool) -> None:
        self._link.backward(grad_MK.view(self.num_trials, -1, grad_MK.shape[1]), is_first)


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
        path, stack = self._modules[id(layer)], self._stack
        return _Dropout(
            lambda x_TN: stack_factor(
                x_TN, stack.buffers[f"{path}.seed"], stack.buffers[f"{path}.p"], isinstance(layer, Inverted)
            )
        )

    def activation(self, module: nn.Module, gradient: Gradient) -> Link:
        return (_Uneven if isinstance(module, UNEVEN) else Activation)(module.forward, gradient)

    def flatten(self) -> Link:
        return _Flatten()


class _Linear(Linear):
    """y = x W^T + b of each trial."""

    def forward(self, x_TND: Tensor) -> Tensor:
        self._x_TND = x_TND
        return outputs(x_TND, self._weight.value, None if self._bias is None else self._bias.value)

    def backward(self, grad_TNE: Tensor, is_first: bool) -> Tensor | None:
        x_TND, bias = self._x_TND, self._bias
        del self._x_TND
        needs = (self._needs_x, self._weight.grad is not None, is_trained(bias))
        by_x_TND, by_weight, by_bias = gradients(grad_TNE, x_TND, self._weight.value, needs)
        if by_weight is not None:
            self._weight.write(by_weight, is_first)
        if by_bias is not None and bias is not None:
            bias.write(by_bias, is_first)
        return by_x_TND


class _BatchNorm(BatchNorm):
    """Vectors of all trials side by side, as `dlexp.kernel.batch_norm.normalise_stack` has them."""

    def __init__(self, weight: Trained, bias: Trained, running: Callable[[], Running], layer: norms.BatchNorm) -> None:
        self._weight, self._bias, self._of_trials, self._rule = weight, bias, running, layer.rule
        self._mode = mode_of(layer)
        self._needs_x = True

    def forward(self, x_TNC: Tensor) -> Tensor:
        self._weight_P, bias_P = self._weight.value.reshape(-1), self._bias.value.reshape(-1)
        x_NTC = x_TNC.transpose(0, 1)
        y_NP = normalise(
            x_NTC.flatten(1), self._weight_P, bias_P, self._of_trials(), self._rule, self._mode, self._kernel
        )
        return y_NP.view(x_NTC.shape).transpose(0, 1)

    def backward(self, grad_TNC: Tensor, is_first: bool) -> Tensor | None:
        grad_NTC = grad_TNC.transpose(0, 1)
        by_x_NP, by_weight_P, by_bias_P = self._gradients(grad_NTC.flatten(1), self._weight_P)
        del self._weight_P
        for parameter, by_P in ((self._weight, by_weight_P), (self._bias, by_bias_P)):
            parameter.write(None if by_P is None else by_P.view(grad_NTC.shape[1:]), is_first)
        if by_x_NP is None or not self._needs_x:
            return None
        return by_x_NP.view(grad_NTC.shape).transpose(0, 1)


class _GroupNorm(GroupNorm):
    """Statistics per example; scale and shift of its trial."""

    def forward(self, x_TNC: Tensor) -> Tensor:
        x = x_TNC.flatten(0, 1)
        num, num_channels = x.shape
        y, *batch = torch.native_group_norm(x, None, None, num, num_channels, 1, self._num_groups, self._eps)
        y_TNC = y.view(x_TNC.shape)
        self._saved = x, y_TNC, batch
        return torch.addcmul(self._bias.value.unsqueeze(1), y_TNC, self._weight.value.unsqueeze(1))

    def backward(self, grad_TNC: Tensor, is_first: bool) -> Tensor | None:
        x, y_TNC, batch = self._saved
        del self._saved
        grad_TNC = grad_TNC.contiguous()  # sums are rounded by the order in memory
        self._weight.write((grad_TNC * y_TNC).sum(1), is_first)
        self._bias.write(grad_TNC.sum(1), is_first)
        if not self._needs_x:
            return None
        by_y = (grad_TNC * self._weight.value.unsqueeze(1)).flatten(0, 1)
        sizes = (*x.shape, 1, self._num_groups)
        backward = torch.ops.aten.native_group_norm_backward.default
        return backward(by_y, x, *batch, None, *sizes, [True, False, False])[0].view(y_TNC.shape)


class _Dropout:
    """A mask of each trial's own seed and rate."""

    def __init__(self, factor: Callable[[Tensor], Tensor]) -> None:
        self._factor_of = factor

    def need(self, is_needed: bool) -> bool:
        return is_needed

    def forward(self, x_TN: Tensor) -> Tensor:
        self._factor_TN = self._factor_of(x_TN)
        return x_TN * self._factor_TN

    def backward(self, grad_TN: Tensor, is_first: bool) -> Tensor:
        grad_TN = grad_TN * self._factor_TN
        del self._factor_TN
        return grad_TN


class _Flatten:
    """Images (T, N, C, H, W), or vectors, as vectors (T, N, D)."""

    def need(self, is_needed: bool) -> bool:
        return is_needed

    def forward(self, x: Tensor) -> Tensor:
        self._shape = x.shape
        return x.flatten(2)

    def backward(self, grad_TND: Tensor, is_first: bool) -> Tensor:
        return grad_TND.reshape(self._shape)


class _Uneven(Activation):
    """An elementwise function, trial by trial where the kernel rounds a trial's last elements otherwise."""

    def forward(self, x_TN: Tensor) -> Tensor:
        x_TN = x_TN.contiguous()
        rows = _alike(x_TN)
        y_TN = torch.cat([self._function(row) for row in rows]) if len(rows) > 1 else self._function(x_TN)
        self._saved = x_TN, y_TN
        return y_TN

    def backward(self, grad_TN: Tensor, is_first: bool) -> Tensor:
        tensors = (grad_TN.contiguous(), *self._saved)
        del self._saved
        rows = list(zip(*map(_alike, tensors), strict=True))
        return torch.cat([self._gradient(*row) for row in rows]) if len(rows) > 1 else self._gradient(*rows[0])


def _alike(x_TN: Tensor) -> Sequence[Tensor]:
    """Return tensors whose last elements are rounded as those of a trial alone: all trials, or each."""
    return [x_TN] if x_TN[0].numel() % VECTOR == 0 else x_TN.split(1)
