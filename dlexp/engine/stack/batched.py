"""Layers that know the trial axis: the model's own code runs on T * N examples, its layers reshape them.

The model's code sees one large batch whose examples belong to T trials in turn. Only layers with parameters, buffers
or batch statistics are exchanged for ones that reshape (T * N, ...) to (T, N, ...), so that activations, pooling and
reshaping are one kernel for all trials. Whether a model bears this is tried: see `dlexp.engine.stack.kind`.
Shapes: T trials, N batch, D inputs, E outputs, C channels.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd

from dlexp.activation import Maxout
from dlexp.device import send_soon
from dlexp.dropout import Classic, Inverted, stack_factor
from dlexp.engine.stack.linear import alone, linear
from dlexp.engine.stack.rows import Rows, join, take
from dlexp.engine.stack.written import UNEVEN, VECTOR, stack_chain_of
from dlexp.kernel.batch_norm import Mode, Rule, Running, normalise, normalise_stack
from dlexp.norm import BatchNorm

STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


class Batched(Rows):
    """A stack whose layers know the trial axis.

    Attributes:
        num_in_hand: Trials of the batch in hand.
        chain: The passes of all trials in training without autograd, where they are written out.
        is_in_turn: Whether dense layers too run trial by trial: beside convolutions, which do, that costs little, and
            every kernel is then that of a trial alone, whatever the sizes.
    """

    engine = "batched"

    def __init__(
        self, models: list[nn.Module], *, device: torch.device, channels_last: bool, is_graph: bool = False
    ) -> None:
        """Stack initialised models of equal structure.

        Raises:
            Unbatchable: A layer has no form with a trial axis.
        """
        super().__init__(models, device=device, channels_last=channels_last, is_graph=is_graph)
        self.is_in_turn = device.type == "cpu" and any(isinstance(m, _ConvNd) for m in self.template.modules())
        self._chosen: Tensor | None = None
        self._tensors: dict[str, Tensor] = {}
        self.num_in_hand = len(models)
        self._exchange(self.template, "")
        self.chain = stack_chain_of(models[0], self)
        self._outputs: Tensor | None = None

    def __call__(self, x: Tensor, *, is_shared: bool = True, rows: list[int] | None = None) -> Tensor | list[Tensor]:
        """See `dlexp.engine.forward.Forward`."""
        if rows is None and self.chain is not None and self.chain.is_due():
            self._outputs = self.chain.forward(x, is_shared=is_shared).requires_grad_()
            return self._outputs
        num_trials = self.num_in_hand = self.num_trials if rows is None else len(rows)
        num = x.shape[0 if is_shared else 1]
        self._chosen = None if rows is None else send_soon(torch.tensor(rows), x.device)
        self._tensors = {**self.parameters(), **self.buffers}
        outputs = self.template(join(x.unsqueeze(0).expand(num_trials, *x.shape) if is_shared else x))
        if isinstance(outputs, list):
            return [output.view(num_trials, num, *output.shape[1:]) for output in outputs]
        return outputs.view(num_trials, num, *outputs.shape[1:])

    def set_training(self, is_training: bool) -> None:
        """See `dlexp.engine.forward.Forward`."""
        self.template.train(is_training)

    def prepare_grads(self) -> None:
        """See `dlexp.engine.forward.Forward`; a chain leaves the pads as the last update had them."""
        for pad in self._pads:
            pad.zero_()

    def collect_grads(self, is_first: bool) -> None:
        """See `dlexp.engine.forward.Forward`; autograd ends at the outputs of a chain."""
        outputs, self._outputs = self._outputs, None
        if self.chain is None or outputs is None:
            super().collect_grads(is_first)
        elif outputs.grad is not None:
            self.chain.backward(outputs.grad, is_first)

    def drop_grads(self) -> None:
        """See `dlexp.engine.forward.Forward`."""
        self._outputs = None
        super().drop_grads()

    def keep(self, rows: list[int]) -> None:
        """See `dlexp.engine.forward.Forward`."""
        self._tensors = {}  # they would hold the old rows until the next batch
        super().keep(rows)

    def tensor(self, name: str) -> Tensor | None:
        """Return a parameter or buffer of the trials in hand (T, *shape), None where there is none of that name."""
        value = self._tensors.get(name)
        return value if value is None or self._chosen is None else take(value, self._chosen)

    def write(self, name: str, value: Tensor) -> None:
        """Overwrite a buffer of the trials in hand."""
        if self._chosen is None:
            if value is not self.buffers[name]:
                self.buffers[name].copy_(value)
        else:
            self.buffers[name].index_copy_(0, self._chosen, value)

    def _exchange(self, module: nn.Module, path: str) -> None:
        for name, child in module.named_children():
            full = f"{path}{name}"
            layer = next((make for kind, make in LAYERS.items() if isinstance(child, kind)), None)
            if layer is not None:
                setattr(module, name, layer(self, full, child))
                continue
            tensors = [*child.named_parameters(recurse=False), *child.named_buffers(recurse=False)]
            if tensors:
                raise Unbatchable(f"{full} ({type(child).__name__}) has no form with a trial axis")
            self._exchange(child, f"{full}.")


def in_turn(call: Callable[..., Tensor], num_trials: int, x: Tensor, *tensors: Tensor | None) -> Tensor:
    """Call a layer for each trial with its rows of x (T * N, ...) and its rows of its own tensors (T, ...)."""
    rows = [[None] * num_trials if value is None else value.unbind() for value in tensors]
    return torch.cat([call(*of_trial) for of_trial in zip(x.chunk(num_trials), *rows, strict=True)])


class Unbatchable(Exception):
    """A model whose layers have no form with a trial axis, or whose code mixes examples."""


class _Layer(nn.Module):
    """A layer of the template, with its parameters in a stack."""

    def __init__(self, stack: Batched, path: str, original: nn.Module) -> None:
        super().__init__()
        object.__setattr__(self, "stack", stack)  # not a submodule
        self.path, self.original = path, [original]  # in a list: its parameters are not this module's

    stack: Batched

    def required(self, name: str) -> Tensor:
        """Return a tensor (T, *shape) that the layer always has."""
        value = self.stack.tensor(f"{self.path}.{name}")
        assert value is not None
        return value

    def optional(self, name: str) -> Tensor | None:
        """Return a tensor (T, *shape), None where the layer was made without."""
        return self.stack.tensor(f"{self.path}.{name}")


class _Linear(_Layer):
    def forward(self, x: Tensor) -> Tensor:
        weight_TED = self.required("weight")
        if self.stack.is_in_turn:
            return in_turn(alone, len(weight_TED), x, weight_TED, self.optional("bias"))
        x_TND = x.view(len(weight_TED), -1, x.shape[-1])
        return linear(x_TND, weight_TED, self.optional("bias")).flatten(0, 1)


class _Convolution(_Layer):
    """Trial by trial with the kernels of a trial alone: as groups of one convolution they would be others."""

    def forward(self, x: Tensor) -> Tensor:
        conv = self.original[0]
        assert isinstance(conv, _ConvNd)
        weight = self.required("weight")
        return in_turn(_kernel_of(conv), len(weight), x, weight, self.optional("bias"))


def _kernel_of(conv: _ConvNd) -> Callable[..., Tensor]:
    """Return what a convolution calls with its input, weight and bias."""
    if not isinstance(conv, nn.ConvTranspose2d):
        return conv._conv_forward
    names = ("stride", "padding", "output_padding", "groups", "dilation")
    return partial(F.conv_transpose2d, **{name: getattr(conv, name) for name in names})


class _Norm(_Layer):
    """Vectors in one kernel for all trials; images trial by trial, as in `_Convolution`."""

    def forward(self, x: Tensor) -> Tensor:
        weight_TC, bias_TC = self.optional("weight"), self.optional("bias")
        if weight_TC is None or bias_TC is None:
            return self._alone(x, None, None)
        if x.dim() > 2:
            return in_turn(self._alone, len(weight_TC), x, weight_TC, bias_TC)
        y_TNC = self._alone(x, None, None).unflatten(0, (len(weight_TC), -1))
        return torch.addcmul(bias_TC.unsqueeze(1), y_TNC, weight_TC.unsqueeze(1)).flatten(0, 1)

    def _alone(self, x: Tensor, weight_C: Tensor | None, bias_C: Tensor | None) -> Tensor:
        norm = self.original[0]
        assert isinstance(norm, nn.GroupNorm)
        return F.group_norm(x, norm.num_groups, weight_C, bias_C, norm.eps)


class _BatchNormLayer(_Layer):
    """Vectors in one kernel for all trials; images, and single values, trial by trial as torch has them."""

    def __init__(self, stack: Batched, path: str, original: nn.Module) -> None:
        super().__init__(stack, path, original)
        assert isinstance(original, _BatchNorm)
        self.rule = original.rule if isinstance(original, BatchNorm) else _rule_of(original)
        self.is_gathering = False

    def forward(self, x: Tensor) -> Tensor:
        mean_TC, var_TC, num_batches_T = map(self.required, STATISTICS)
        running = Running(mean_TC, var_TC, num_batches_T, self.optional("num_values"))
        mode: Mode = "training" if self.training else "gathering" if self.is_gathering else "evaluation"
        weight_TC, bias_TC = self.optional("weight"), self.optional("bias")
        if x.dim() == 2 and x.shape[1] > 1:
            x_TNC = x.unflatten(0, (len(running.mean), -1))
            y = normalise_stack(x_TNC, weight_TC, bias_TC, running, self.rule, mode).flatten(0, 1)
        else:
            y = self._in_turn(x, weight_TC, bias_TC, running, mode)
        if mode != "evaluation":
            for name, tensor in zip((*STATISTICS, "num_values"), running, strict=True):
                if tensor is not None:
                    self.stack.write(f"{self.path}.{name}", tensor)
        return y

    def _in_turn(
        self, x: Tensor, weight_TC: Tensor | None, bias_TC: Tensor | None, running: Running, mode: Mode
    ) -> Tensor:
        def norm(x: Tensor, weight: Tensor | None, bias: Tensor | None, *row: Tensor | None) -> Tensor:
            mean, var, num_batches, num_values = row
            assert mean is not None
            assert var is not None
            assert num_batches is not None
            return normalise(x, weight, bias, Running(mean, var, num_batches, num_values), self.rule, mode)

        return in_turn(norm, len(running.mean), x, weight_TC, bias_TC, *running)


def _rule_of(norm: _BatchNorm) -> Rule:
    """Return the rule of torch's module."""
    return Rule(norm.eps, statistics="cumulative") if norm.momentum is None else Rule(norm.eps, norm.momentum)


class _DropoutLayer(_Layer):
    def forward(self, x: Tensor) -> Tensor:
        seed_T, p_T = self.required("seed"), self.required("p")
        is_inverted = isinstance(self.original[0], Inverted)
        if not self.training and is_inverted:
            return x
        x_TN = x.unflatten(0, (len(seed_T), -1))
        if self.training:
            return (x_TN * stack_factor(x_TN, seed_T, p_T, is_inverted)).flatten(0, 1)
        return (x_TN * (1 - p_T.view(-1, *[1] * (x.dim()))).to(x.dtype)).flatten(0, 1)


class _PReLULayer(_Layer):
    def forward(self, x: Tensor) -> Tensor:
        slope = self.required("weight")
        x_TN = x.unflatten(0, (len(slope), -1))
        slope = slope.view(len(slope), 1, -1, *[1] * (x.dim() - 2))
        return torch.where(x_TN >= 0, x_TN, slope * x_TN).flatten(0, 1)


class _Maxout(_Layer):
    def forward(self, x: Tensor) -> Tensor:
        weight, bias = self.required("affine.weight"), self.required("affine.bias")
        if x.dim() == 2 and self.stack.is_in_turn:
            z = in_turn(alone, len(weight), x, weight, bias)
        elif x.dim() == 2:
            z = linear(x.view(len(weight), -1, x.shape[-1]), weight, bias).flatten(0, 1)
        else:
            z = in_turn(F.conv2d, len(weight), x, weight[..., None, None], bias)
        (maxout,) = self.original
        assert isinstance(maxout, Maxout)
        return z.unflatten(1, (maxout.pieces, -1)).amax(1)


class _Elementwise(_Layer):
    """Kernels that round the last elements of a tensor, beyond its whole vectors, unlike the others."""

    def forward(self, x: Tensor) -> Tensor:
        (layer,), num_trials = self.original, self.stack.num_in_hand
        return layer(x) if x.numel() // num_trials % VECTOR == 0 else in_turn(layer, num_trials, x)


LAYERS: dict[type[nn.Module], Callable[[Batched, str, nn.Module], _Layer]] = {
    nn.Linear: _Linear,
    nn.Conv1d: _Convolution,
    nn.Conv2d: _Convolution,
    nn.Conv3d: _Convolution,
    nn.ConvTranspose2d: _Convolution,
    nn.GroupNorm: _Norm,
    _BatchNorm: _BatchNormLayer,
    Inverted: _DropoutLayer,
    Classic: _DropoutLayer,
    nn.PReLU: _PReLULayer,
    Maxout: _Maxout,
    **dict.fromkeys(UNEVEN, _Elementwise),
}
