"""Which nets are written out as dense links, and their passes in the place of the module's.

A net is, where it is made of nothing but `dlexp.model.mlp.MLP`, `Softmax` and `torch.nn.Sequential` around linear
layers, batch, layer and group norm, dropout, and elementwise activations without weights, in training on a CPU and not
under autocast. Every other net, and one with hooks or a parameter in two places, runs layer by layer under autograd,
with the same numbers. Shapes: N batch, D inputs, K outputs.
"""

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn

from dlexp import norm as norms
from dlexp.dropout import Classic, Inverted
from dlexp.engine.dense.gradient import Gradient as LossGradient
from dlexp.engine.dense.gradient import gradient_of
from dlexp.engine.dense.layer import Activation, BatchNorm, Dropout, Flatten, Gradient, GroupNorm, Linear
from dlexp.engine.dense.link import Link, Row, Sum, Trained
from dlexp.engine.freeze.mark import is_still
from dlexp.engine.task import Batch
from dlexp.kernel.batch_norm import Mode, Running
from dlexp.model.layer import DenseLayer
from dlexp.model.mlp import MLP
from dlexp.model.softmax import Softmax

_ATEN: Any = torch.ops.aten
_THRESHOLD_BACKWARD = _ATEN.threshold_backward.default
_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


class Chain:
    """The passes of one net in training; T = 1.

    Args:
        model: Says whether it is in training.
        link: Of (N, ...) to (N, K).
    """

    def __init__(self, model: nn.Module, link: Link) -> None:
        self._model, self._link = model, link
        self._loss: Any = None
        self._gradient: LossGradient | None = None
        link.need(False)

    def differentiate(self, loss: Any, batch: Batch, is_first: bool) -> tuple[Tensor, Tensor] | None:
        """Do both passes of a batch without autograd.

        Args:
            loss: Of the outputs.
            batch: Of all trials.
            is_first: As of `backward`.

        Returns:
            The loss (T,) and the outputs (T, N, K); None where autograd is needed, and nothing is done.
        """
        if loss is not self._loss:
            self._loss, self._gradient = loss, gradient_of(loss)
        targets = batch.targets
        if self._gradient is None or batch.rows is not None or targets.dim() != 2 or not self.is_due():
            return None
        num_trials = self.num_trials
        with torch.inference_mode():  # an operator is a fifteenth faster than where autograd looks on
            outputs_MK = self._ahead(batch.x, batch.is_shared)
            loss_T, grad_MK = self._gradient(outputs_MK, targets if num_trials == 1 else targets.expand(num_trials, -1))
            self._back(grad_MK, is_first)
            return loss_T, outputs_MK.view(num_trials, -1, outputs_MK.shape[1])

    def is_due(self) -> bool:
        """Whether a pass now is one of training in full precision."""
        return self._model.training and torch.is_grad_enabled() and not torch.is_autocast_enabled("cpu")

    def forward(self, x: Tensor, *, is_shared: bool) -> Tensor:
        """Return outputs (T, N, K), which autograd knows nothing of.

        Args:
            x: A batch (N, ...) that all trials share, or one each (T, N, ...).
            is_shared: Which of the two.
        """
        outputs_MK = self._ahead(x, is_shared)
        return outputs_MK.view(self.num_trials, -1, outputs_MK.shape[1])

    def backward(self, grad_TNK: Tensor, is_first: bool) -> None:
        """Write the parameters' gradients, after a forward pass.

        Args:
            grad_TNK: Gradient by its outputs.
            is_first: Whether they replace those that are there, or are added.
        """
        self._back(grad_TNK.flatten(0, 1), is_first)

    @property
    def num_trials(self) -> int:
        """T, the nets that pass at once."""
        return 1

    def _ahead(self, x: Tensor, is_shared: bool) -> Tensor:
        """Return the outputs of all examples (T * N, K)."""
        return self._link.forward(x if is_shared else x[0])

    def _back(self, grad_MK: Tensor, is_first: bool) -> None:
        """Write the parameters' gradients, given that by the outputs of all examples (T * N, K)."""
        self._link.backward(grad_MK, is_first)


def chain_of(model: nn.Module, trained: list[Tensor], grads: list[Tensor]) -> Chain | None:
    """Return the chain of a net; None where it is to run layer by layer.

    Args:
        model: On the CPU.
        trained: The parameters that are trained.
        grads: Where each one's gradient goes.
    """
    if trained[0].device.type != "cpu":
        return None
    link = Reader(dict(zip(map(id, trained), grads, strict=True))).read_whole(model)
    return None if link is None else Chain(model, link)


def _has_hooks(of: Any) -> bool:
    return any(getattr(of, name, None) for name in _HOOKS)


class Reader:
    """Makes links of modules.

    Args:
        grads: Where the gradient of each parameter that is trained goes, by `id`.

    Attributes:
        seen: Parameters that are in a link, by `id`.
    """

    def __init__(self, grads: dict[int, Tensor]) -> None:
        self._grads = grads
        self.seen: list[int] = []

    def read_whole(self, model: nn.Module) -> Link | None:
        """Return the link of a whole net; None where it is to run layer by layer."""
        parameters = list(model.parameters())
        if any(_has_hooks(each) for each in [*model.modules(), *parameters]):
            return None
        link = self.read(model)
        # a parameter twice would be overwritten, one not at all would keep an old gradient
        return None if sorted(self.seen) != sorted(map(id, parameters)) else link

    def read(self, module: nn.Module) -> Link | None:
        """Return the link of a module, None where there is none."""
        kind = type(module)
        make = _NETS.get(kind) or _LAYERS.get(kind.forward)
        return None if make is None else make(self, module)

    def row(self, *modules: nn.Module) -> Link | None:
        """Return the link of modules that follow each other."""
        links = [self.read(module) for module in modules if type(module).forward is not nn.Identity.forward]
        return None if None in links else Row([link for link in links if link is not None])

    def sum(self, first: Link | None, second: nn.Module | None) -> Link | None:
        """Return a link with another way beside it, if there is one."""
        if first is None or second is None:
            return first
        way = self.read(second)
        return None if way is None else Sum(first, way)

    def trained(self, parameter: Tensor) -> Trained:
        """Return a parameter with the place of its gradient."""
        self.seen.append(id(parameter))
        return Trained(parameter, self._grads.get(id(parameter)))

    def linear(self, layer: nn.Linear) -> Link:
        """Return the link of a linear layer."""
        return Linear(*self.weight_and_bias(layer))

    def weight_and_bias(self, layer: nn.Linear) -> tuple[Trained, Trained | None]:
        """Return the parameters of a linear layer."""
        return self.trained(layer.weight), None if layer.bias is None else self.trained(layer.bias)

    def batch_norm(self, layer: norms.BatchNorm) -> Link | None:
        """Return the link of a batch norm with scale and shift."""
        statistics = Running(*cast(tuple[Tensor, Tensor, Tensor], statistics_of(layer)), layer.num_values)
        weight, bias, mode = self.trained(layer.weight), self.trained(layer.bias), mode_of(layer)
        return BatchNorm(weight, bias, statistics, layer.rule, layer._check_input_dim, mode)

    def group_norm(self, layer: nn.GroupNorm) -> Link:
        """Return the link of a group norm with scale and shift."""
        return GroupNorm(self.trained(layer.weight), self.trained(layer.bias), layer.num_groups, layer.eps)

    def dropout(self, layer: Inverted | Classic) -> Link:
        """Return the link of a dropout."""
        return Dropout(layer)

    def activation(self, module: nn.Module, gradient: Gradient) -> Link:
        """Return the link of an elementwise function."""
        return Activation(module.forward, gradient)

    def flatten(self) -> Link:
        """Return the link that makes vectors of images."""
        return Flatten()


def _mlp(reader: Reader, net: MLP) -> Link | None:
    start = [] if net.input_dropout is None else [net.input_dropout]
    if net.decoder is None:
        body = reader.sum(reader.row(net.hidden, net.output), net.output_shortcut)
    else:
        code = [] if net.code is None else [net.code]
        body = reader.row(net.hidden, *code, *reversed(net.decoder.dense))
    before = reader.row(*start)
    return None if body is None or before is None else Row([reader.flatten(), before, body])


def _dense_layer(reader: Reader, layer: DenseLayer) -> Link | None:
    body = reader.sum(reader.row(layer.linear, layer.norm, layer.activation), layer.shortcut)
    after = reader.row(layer.dropout)
    return None if body is None or after is None else Row([body, after])


def _softmax(reader: Reader, net: Softmax) -> Link | None:
    linear = reader.read(net.linear)
    return None if linear is None else Row([reader.flatten(), linear])


def statistics_of(layer: norms.BatchNorm) -> tuple[Tensor | None, ...]:
    """Return what a batch norm keeps of the batches it has seen."""
    return layer.running_mean, layer.running_var, layer.num_batches_tracked


def mode_of(layer: norms.BatchNorm) -> Mode:
    """Return whose statistics a batch norm normalises by in training."""
    return "evaluation" if is_still(layer) else "training"


def _batch_norm(reader: Reader, layer: norms.BatchNorm) -> Link | None:
    is_whole = layer.weight is not None and all(each is not None for each in statistics_of(layer))
    return reader.batch_norm(layer) if is_whole and layer.across is None else None


def _group_norm(reader: Reader, layer: nn.GroupNorm) -> Link | None:
    return None if layer.weight is None or layer.bias is None else reader.group_norm(layer)


def _flatten(reader: Reader, layer: nn.Flatten) -> Link | None:
    return reader.flatten() if (layer.start_dim, layer.end_dim) == (1, -1) else None


def _activation(gradient_of: Callable[[Any], Gradient]) -> Callable[[Reader, Any], Link]:
    return lambda reader, module: reader.activation(module, gradient_of(module))


def _relu(reader: Reader, layer: nn.ReLU) -> Link:
    return Activation(layer.forward if layer.inplace else torch.relu, lambda g, x, y: _THRESHOLD_BACKWARD(g, y, 0))


_NETS: dict[type[nn.Module], Callable[[Reader, Any], Link | None]] = {
    MLP: _mlp,
    DenseLayer: _dense_layer,
    Softmax: _softmax,
    nn.Sequential: lambda reader, net: reader.row(*net),
}
# By the function that a class computes: one that inherits it is the same layer.
_LAYERS: dict[Callable[..., Tensor], Callable[[Reader, Any], Link | None]] = {
    nn.Linear.forward: lambda reader, module: reader.linear(module),
    norms.BatchNorm.forward: _batch_norm,
    norms.LayerNorm.forward: _group_norm,
    Inverted.forward: lambda reader, module: reader.dropout(module),
    Classic.forward: lambda reader, module: reader.dropout(module),
    nn.Identity.forward: lambda reader, module: Row([]),
    nn.Flatten.forward: _flatten,
    nn.ReLU.forward: _relu,
    nn.LeakyReLU.forward: _activation(
        lambda m: lambda g, x, y: _ATEN.leaky_relu_backward.default(g, x, m.negative_slope, False)
    ),
    nn.ELU.forward: _activation(lambda m: lambda g, x, y: _ATEN.elu_backward.default(g, m.alpha, 1, 1, False, x)),
    nn.GELU.forward: _activation(
        lambda m: lambda g, x, y: _ATEN.gelu_backward.default(g, x, approximate=m.approximate)
    ),
    nn.SiLU.forward: _activation(lambda _: lambda g, x, y: _ATEN.silu_backward.default(g, x)),
    nn.Sigmoid.forward: _activation(lambda _: lambda g, x, y: _ATEN.sigmoid_backward.default(g, y)),
    nn.Tanh.forward: _activation(lambda _: lambda g, x, y: _ATEN.tanh_backward.default(g, y)),
}
