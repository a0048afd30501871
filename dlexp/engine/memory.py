"""How much memory an update takes, counted exactly where torch allocates, and how many trials fit.

Shapes: T trials.
"""

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from dlexp.model.fitted.fitted import Fitted

HEADROOM = 0.85  # share of the free memory that a program may plan with
MOST_EVALUATED = 1024  # examples at once
SMALL_EVALUATION = 2**28  # bytes that any machine has
KEPT_SHARE = 0.5  # of what layers put out, at least, for the gradient
NUM_TRIED = 2  # examples: batch normalisation needs more than one


class Allocations(TorchDispatchMode):
    """A context that follows every tensor made inside it from birth to death.

    Attributes:
        live: Bytes alive now.
        peak: Most bytes alive at once.
    """

    def __init__(self) -> None:
        """Start with nothing."""
        super().__init__()
        self.live = self.peak = 0
        self._seen: weakref.WeakSet[torch.UntypedStorage] = weakref.WeakSet()

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Keep torch from importing its compiler, a second of each process, to have it ignore this mode."""
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operator and note the storages of what it returns."""
        outputs = func(*args, **(kwargs or {}))
        known = {id(t.untyped_storage()) for t in tree_iter((args, kwargs)) if isinstance(t, Tensor)}
        for output in tree_iter(outputs):
            if isinstance(output, Tensor) and id(output.untyped_storage()) not in known:
                self._note(output.untyped_storage())
        return outputs

    def _note(self, storage: torch.UntypedStorage) -> None:
        if storage in self._seen:
            return
        self._seen.add(storage)
        size = storage.nbytes()
        self.live += size
        self.peak = max(self.peak, self.live)
        weakref.finalize(storage, self._free, size)

    def _free(self, size: int) -> None:
        self.live -= size


def peak_bytes(update: Callable[[], object], device: torch.device) -> int:
    """Return the most bytes that tensors made during an update take at once, on top of what was there.

    Args:
        update: Does one update of a program; called twice, the first time to let lazily made things be made.
        device: CUDA asks its allocator, which also sees the work space of kernels.
    """
    update()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        update()
        return torch.cuda.max_memory_allocated(device) - before
    with Allocations() as allocations:
        update()
    return allocations.peak


def guess_bytes(model: nn.Module, in_shape: tuple[int, ...], batch_size: int) -> int:
    """Return a generous guess of what an update of one trial takes, for where memory is plenty.

    Counting exactly on the CPU imports modules of torch for more than a second. The guess is eight times the parameters
    and what the layers put out in a forward pass: values, gradients, state of the update rule, work space.
    """
    sizes = [p.numel() * p.element_size() for p in model.parameters()]

    def note(_module: nn.Module, _inputs: Any, outputs: Any) -> None:
        sizes.extend(t.numel() * t.element_size() for t in tree_iter(outputs) if isinstance(t, Tensor))

    with _evaluating(model), _hooked(model, note):
        model(next(model.parameters()).new_zeros(batch_size, *in_shape))
    return 8 * sum(sizes)


def largest_stack(small: tuple[int, int], large: tuple[int, int], free: int) -> int:
    """Return how many trials fit, by the line through two measurements.

    Args:
        small: Trials and bytes of the smaller stack.
        large: Trials and bytes of the larger stack.
        free: Free bytes of the device.
    """
    per_trial = max((large[1] - small[1]) / (large[0] - small[0]), 1.0)
    fixed = small[1] - per_trial * small[0]
    return max(1, int((HEADROOM * free - fixed) / per_trial))


def evaluation_batch(model: nn.Module, in_shape: tuple[int, ...], batch_size: int) -> int:
    """Return how many examples to evaluate at once, so that it takes no more memory than training does.

    Layers put out s bytes an example, of which an update on B examples keeps at least half for the gradient (0.63 to 1:
    `benchmarks.memory`). Evaluation keeps at its peak e bytes an example, where a layer's input may go when its output
    is there. B s / (2 e) examples at once take no more than training takes; B, or as many as fit in
    `SMALL_EVALUATION`, are taken where that is less, and never more than `MOST_EVALUATED`. The number depends on the
    model and the shapes only: last digits may change with the examples that a product has at once.

    Args:
        model: On any device; its mode stays.
        in_shape: Of one example.
        batch_size: B.
    """
    if isinstance(model, Fitted):
        return model.evaluated_at_once
    x = next(model.parameters()).new_zeros(NUM_TRIED, *in_shape)
    with _evaluating(model):
        output_size = output_bytes(model, x) / NUM_TRIED
        if output_size * MOST_EVALUATED <= SMALL_EVALUATION:
            return MOST_EVALUATED
        with Allocations() as allocations:
            model(x)
    peak = max(allocations.peak / NUM_TRIED, 1.0)
    sizes = (batch_size, batch_size * KEPT_SHARE * output_size / peak, SMALL_EVALUATION / peak)
    return min(MOST_EVALUATED, int(max(sizes)))


def output_bytes(model: nn.Module, x: Tensor) -> int:
    """Return the bytes of all that a model's modules put out for a batch, each tensor once."""
    storages: dict[int, torch.UntypedStorage] = {}  # kept, so that no later one takes the place of one that died

    def note(_module: nn.Module, _inputs: Any, outputs: Any) -> None:
        held = [t.untyped_storage() for t in tree_iter(outputs) if isinstance(t, Tensor)]
        storages.update({storage._cdata: storage for storage in held})

    with _hooked(model, note):
        model(x)
    return sum(storage.nbytes() for storage in storages.values())


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    """Have a model evaluate, without gradients, for a while; its mode comes back."""
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(was_training)


@contextmanager
def _hooked(model: nn.Module, note: Callable[[nn.Module, Any, Any], None]) -> Iterator[None]:
    """Tell `note` the module, inputs and outputs of every call in a model for a while."""
    handles = [module.register_forward_hook(note) for module in model.modules()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
