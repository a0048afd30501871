"""The passes of T modules over batches of one shape, captured as two CUDA graphs: all forward and all backward passes.

The trials' branches are forked over streams inside one capture, so that a pass of all trials is one launch, and each
stream has a cuBLAS workspace of its own. (Graphs captured one by one share a workspace; replayed at once on several
streams, they wait for each other's flags for ever.) The loss stays outside: `CapturedPasses` is a function that
autograd can differentiate. Shapes: T trials, N batch, K outputs.
"""

import gc
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from dlexp.error import first_line, is_out_of_memory

STREAMS = 8
MOST_KINDS = 2  # of batches that are captured: an epoch's, and its last

_log = logging.getLogger(__name__)

Heads = list[Tensor]  # a module's outputs: the main one, then the auxiliary ones


class Captures:
    """The captured passes of T modules, by the kind of batch.

    The first kind is captured when it is seen, others when they are seen again: an epoch's last batch, of fewer
    examples, is worth a capture only where there are more epochs.
    """

    def __init__(self, models: Sequence[nn.Module], parameters: list[list[Tensor]], grads: list[list[Tensor]]) -> None:
        """Capture nothing yet.

        Args:
            models: In the rows' order.
            parameters: Those of each model that are trained.
            grads: What the gradients of each model's parameters are added to.
        """
        self._models, self._parameters, self._grads = models, parameters, grads
        device = parameters[0][0].device
        self._is_capturable = device.type == "cuda"
        self._streams = _streams(device)[: len(models)] if self._is_capturable else []
        self._passes: dict[tuple, CapturedPasses] = {}
        self._seen: set[tuple] = set()

    def passes(self, x: Tensor, *, is_shared: bool) -> "CapturedPasses | None":
        """Return the passes over batches of this kind; None where the modules are to run as they are.

        They are captured in training only. What cannot be captured is told once.

        Args:
            x: A batch (N, ...) that all trials share, or one each (T, N, ...).
            is_shared: Which of the two.

        Raises:
            RuntimeError: When the memory does not suffice for several trials; one then runs as it is.
        """
        if not self._is_capturable or not self._models[0].training or not torch.is_grad_enabled():
            return None
        is_cast = torch.is_autocast_enabled("cuda")
        key = (x.shape, x.dtype, is_shared, torch.get_autocast_dtype("cuda") if is_cast else None)
        is_due = not self._seen or key in self._seen
        self._seen.add(key)
        if is_due and key not in self._passes and len(self._passes) < MOST_KINDS:
            try:
                self._passes[key] = CapturedPasses(
                    self._models, self._parameters, self._grads, x, is_shared=is_shared, streams=self._streams
                )
            except RuntimeError as error:
                if is_out_of_memory(error) and len(self._models) > 1:
                    raise
                self._is_capturable = False
                _log.warning("the passes are not replayed as a graph: %s", first_line(error))
        return self._passes.get(key)

    def close(self) -> None:
        """Free all graphs."""
        for passes in self._passes.values():
            passes.close()
        self._passes = {}


class CapturedPasses:
    """Graphs of T modules' passes for batches of one shape.

    Gradients of the parameters are added to the tensors that they are to be collected in, as autograd does.
    """

    def __init__(
        self,
        models: Sequence[nn.Module],
        parameters: Sequence[list[Tensor]],
        grads: Sequence[list[Tensor]],
        sample: Tensor,
        *,
        is_shared: bool,
        streams: list[torch.cuda.Stream],
    ) -> None:
        """Capture; buffers and gradients end as they were.

        Args:
            models: In training mode.
            parameters: Those of each model that are trained.
            grads: What their gradients are added to.
            sample: A batch (N, ...) that all trials share, or one each (T, N, ...).
            is_shared: Which of the two.
            streams: To fork the trials over.

        Raises:
            RuntimeError: If a module does what cannot be captured, such as `.item()`.
        """
        self._models, self._parameters, self._grads, self._streams = models, parameters, grads, streams
        self._x, self._is_shared = sample.detach().clone(), is_shared
        self.has_heads = False
        self._outputs: list[Tensor] = []  # (T, N, K) of each head
        self._output_grads: list[Tensor] = []
        self._anchor = torch.zeros((), device=sample.device, requires_grad=True)
        self._forward, self._backward = torch.cuda.CUDAGraph(), torch.cuda.CUDAGraph()
        with torch.cuda.device(sample.device), _without_autocast_cache():
            buffers = [[(buffer, buffer.clone()) for buffer in model.buffers()] for model in models]
            saved_grads = [[grad.clone() for grad in row] for row in grads]
            try:
                self._warm_up()
            finally:
                for buffer, value in (pair for pairs in buffers for pair in pairs):
                    buffer.copy_(value)
                for grad, value in zip(_flatten(grads), _flatten(saved_grads), strict=True):
                    grad.copy_(value)
            del buffers, saved_grads
            self._capture()

    def __call__(self, x: Tensor) -> Tensor | list[Tensor]:
        """Return outputs (T, N, K), or a list of them, for a batch of the captured shape."""
        outputs = _Replay.apply(self._anchor, self, x)
        return list(outputs) if self.has_heads else outputs[0]

    def close(self) -> None:
        """Free the graphs and their memory now, not at a collection that may fall into another capture."""
        torch.cuda.synchronize(self._x.device)
        self._forward.reset()
        self._backward.reset()
        self._outputs, self._output_grads = [], []

    def _warm_up(self) -> None:
        """Run each module once on its stream: libraries choose kernels and take their workspaces, which is no work."""
        # a kernel first: autograd's thread has no context of the device yet, which cuBLAS would warn of
        torch.autograd.grad(self._anchor * 2, self._anchor)
        current = torch.cuda.current_stream()
        for row, stream in self._forked(current):
            heads = self._heads(row)
            if not self._outputs:
                shape = (len(self._models),)
                self._outputs = [head.new_zeros(shape + head.shape) for head in heads]
                self._output_grads = [torch.zeros_like(output) for output in self._outputs]
                for other in self._streams:
                    other.wait_stream(stream)
            self._collect(row, self._root(row, heads))
        torch.cuda.synchronize()

    def _capture(self) -> None:
        pool, side = torch.cuda.graph_pool_handle(), _streams(self._x.device)[STREAMS]
        options: dict[str, Any] = {"pool": pool, "stream": side, "capture_error_mode": "thread_local"}
        roots: list[Tensor] = []
        gc.collect()  # a graph that is destroyed while another is captured breaks the capture
        gc.disable()
        try:
            with torch.cuda.graph(self._forward, **options):
                for row, _ in self._forked(side):
                    heads = self._heads(row)
                    with torch.no_grad():
                        for output, head in zip(self._outputs, heads, strict=True):
                            output[row].copy_(head)
                    roots.append(self._root(row, heads))
            with torch.cuda.graph(self._backward, **options):
                for row, _ in self._forked(side):
                    self._collect(row, roots[row])
        finally:
            gc.enable()
        if not self._outputs:
            raise RuntimeError("nothing was captured")

    def _forked(self, origin: torch.cuda.Stream) -> Iterator[tuple[int, torch.cuda.Stream]]:
        """Yield each trial's row with its stream current; they begin after the origin and end before it goes on."""
        for stream in self._streams:
            stream.wait_stream(origin)
        for row in range(len(self._models)):
            stream = self._streams[row % len(self._streams)]
            with torch.cuda.stream(stream):
                yield row, stream
        for stream in self._streams:
            origin.wait_stream(stream)

    def _heads(self, row: int) -> Heads:
        outputs = self._models[row](self._x if self._is_shared else self._x[row])
        self.has_heads = isinstance(outputs, list)
        return outputs if isinstance(outputs, list) else [outputs]

    def _root(self, row: int, heads: Heads) -> Tensor:
        return _Root.apply([grad[row] for grad in self._output_grads], *heads)

    def _collect(self, row: int, root: Tensor) -> None:
        parameters, views = self._parameters[row], self._grads[row]
        given = torch.autograd.grad(root, parameters, allow_unused=True)
        pairs = [(view, grad) for view, grad in zip(views, given, strict=True) if grad is not None]
        torch._foreach_add_(  # pyright: ignore[reportPrivateImportUsage]: it has no public name
            [view for view, _ in pairs], [grad for _, grad in pairs]
        )


class _Root(torch.autograd.Function):
    """A zero whose gradient with respect to the heads is what lies in given tensors.

    (A gradient handed to `torch.autograd.grad` makes torch import its symbolic shapes, for seconds.)
    """

    @staticmethod
    def forward(ctx: Any, grads: list[Tensor], *heads: Tensor) -> Tensor:
        ctx.grads = grads
        return heads[0].new_zeros(())

    @staticmethod
    def backward(ctx: Any, *_: Tensor) -> tuple[Tensor | None, ...]:
        return None, *ctx.grads


class _Replay(torch.autograd.Function):
    """The captured passes as a node of autograd; the anchor is there for autograd to see a gradient wanted."""

    @staticmethod
    def forward(ctx: Any, anchor: Tensor, passes: CapturedPasses, x: Tensor) -> tuple[Tensor, ...]:
        ctx.passes = passes
        passes._x.copy_(x)
        passes._forward.replay()
        return tuple(output.clone() for output in passes._outputs)  # the next replay writes over them

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, None, None]:
        for static, grad in zip(ctx.passes._output_grads, grads, strict=True):
            static.copy_(grad)
        ctx.passes._backward.replay()
        return None, None, None


@cache
def _streams(device: torch.device) -> list[torch.cuda.Stream]:
    """Return the streams of a device that trials are forked over, and the one that captures.

    All captures share them: each stream on which a matrix product ran has a workspace of cuBLAS for good.
    """
    return [torch.cuda.Stream(device) for _ in range(STREAMS + 1)]


@contextmanager
def _without_autocast_cache() -> Iterator[None]:
    """Keep mixed precision, but not its copies of the weights: cached, they would be cast in the first replay only."""
    with torch.autocast(
        "cuda",
        dtype=torch.get_autocast_dtype("cuda"),
        enabled=torch.is_autocast_enabled("cuda"),
        cache_enabled=False,
    ):
        yield


def _flatten(rows: Sequence[list[Tensor]]) -> list[Tensor]:
    return [tensor for row in rows for tensor in row]
