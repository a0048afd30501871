"""The passes of T modules, forked over the streams of a CUDA device: forward and backward, gradients collected.

Each stream has a cuBLAS workspace of its own, so that the passes of several trials may run at once, and a capture of
them is one graph whose branches are the trials. (Graphs captured one by one share a workspace; replayed at once on
several streams, they wait for each other's flags for ever.) Shapes: T trials, N batch, K outputs.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

STREAMS = 8

Heads = list[Tensor]  # a module's outputs: the main one, then the auxiliary ones


class Fork:
    """T modules as one function that autograd can differentiate.

    Gradients of the parameters are added to the tensors that they are to be collected in, as autograd does.
    """

    def __init__(
        self, models: Sequence[nn.Module], parameters: Sequence[list[Tensor]], grads: Sequence[list[Tensor]]
    ) -> None:
        """Take T modules.

        Args:
            models: In the rows' order, on a CUDA device.
            parameters: Those of each model that are trained.
            grads: What their gradients are added to.
        """
        self._models, self._parameters, self._grads = models, parameters, grads
        device = parameters[0][0].device
        self._device = device
        self._streams = streams_of(device)[: min(len(models), STREAMS)] if len(models) > 1 else []
        self._anchor = torch.zeros((), device=device, requires_grad=True)  # for autograd to see a gradient wanted

    @property
    def is_due(self) -> bool:
        """Whether a pass is to be differentiated; others are left to the modules."""
        return self._models[0].training and torch.is_grad_enabled()

    def __call__(self, x: Tensor, *, is_shared: bool) -> Tensor | list[Tensor]:
        """Return outputs (T, N, K), or a list of them when the models have auxiliary heads.

        Args:
            x: A batch (N, ...) that all trials share, or one each (T, N, ...).
            is_shared: Which of the two.
        """
        outputs = _Passes.apply(self._anchor, self, x, is_shared)
        return outputs[0] if len(outputs) == 1 else list(outputs)

    def rows(self) -> Iterator[int]:
        """Yield each trial's row with its stream current; they begin after the current stream, which waits for them."""
        if not self._streams:
            yield 0
            return
        origin = torch.cuda.current_stream(self._device)
        for stream in self._streams:
            stream.wait_stream(origin)
        for row in range(len(self._models)):
            with torch.cuda.stream(self._streams[row % len(self._streams)]):
                yield row
        for stream in self._streams:
            origin.wait_stream(stream)

    def heads(self, row: int, x: Tensor) -> Heads:
        """Return the outputs of a trial's module."""
        outputs = self._models[row](x)
        return outputs if isinstance(outputs, list) else [outputs]

    def collect(self, row: int, root: Tensor) -> None:
        """Add a trial's gradients to what they are collected in."""
        given = torch.autograd.grad(root, self._parameters[row], allow_unused=True)
        pairs = [(view, grad) for view, grad in zip(self._grads[row], given, strict=True) if grad is not None]
        torch._foreach_add_(  # pyright: ignore[reportPrivateImportUsage]: it has no public name
            [view for view, _ in pairs], [grad for _, grad in pairs]
        )


class _Passes(torch.autograd.Function):
    """The passes as a node of autograd."""

    @staticmethod
    def forward(ctx: Any, _anchor: Tensor, fork: Fork, x: Tensor, is_shared: bool) -> tuple[Tensor, ...]:
        heads: list[Heads] = []
        ctx.fork, ctx.given, ctx.roots = fork, [], []
        for row in fork.rows():
            with torch.enable_grad():
                heads.append(fork.heads(row, x if is_shared else x[row]))
                ctx.roots.append(_Root.apply(ctx.given, row, *heads[row]))
        return tuple(torch.stack([head.detach() for head in column]) for column in zip(*heads, strict=True))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, ...]:
        ctx.given[:] = grads
        for row in ctx.fork.rows():
            ctx.fork.collect(row, ctx.roots[row])
        ctx.given.clear()
        ctx.roots.clear()
        return None, None, None, None


class _Root(torch.autograd.Function):
    """A zero whose gradient with respect to a trial's heads is its row of the given tensors.

    (A gradient handed to `torch.autograd.grad` makes torch import its symbolic shapes, for seconds.)
    """

    @staticmethod
    def forward(ctx: Any, given: list[Tensor], row: int, *heads: Tensor) -> Tensor:
        ctx.given, ctx.row = given, row
        return heads[0].new_zeros(())

    @staticmethod
    def backward(ctx: Any, *_: Tensor) -> tuple[Tensor | None, ...]:
        return None, None, *[grad[ctx.row] for grad in ctx.given]


@cache
def streams_of(device: torch.device) -> list[torch.cuda.Stream]:
    """Return the streams of a device that trials are forked over, and the one on which updates are captured.

    All captures share them: each stream on which a matrix product ran has a workspace of cuBLAS for good.
    """
    return [torch.cuda.Stream(device) for _ in range(STREAMS + 1)]
