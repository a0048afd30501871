"""What the engine needs of a program of T trials, and the plainest one: a module alone.

Shapes: T trials, N batch, K outputs, R chosen rows.
"""

from typing import Protocol

import torch
from torch import Tensor, nn

from dlexp.device import pinned
from dlexp.dropout import Classic, Inverted
from dlexp.engine.dense.chain import chain_of
from dlexp.engine.flat import Flat
from dlexp.engine.freeze.mark import is_still, switch_training
from dlexp.engine.graph.fork import Fork
from dlexp.kernel.batch_norm import Rule, reset
from dlexp.random import derive_each

MOVING = Rule(0.0)  # of modules that are no batch norm
DEEP = 5  # batch norms from which on `norm.statistics=auto` gathers


class Forward(Protocol):
    """The forward pass of a program; only this differs between solo and fused training.

    Attributes:
        engine: "solo", "batched", "vmapped" or "graphed".
        flat: The parameters of all trials.
        grads: Gradients (T, P) as `collect_grads` left them.
        dropout_seeds: Of each trial's layers (T, L), the same tensor as long as no trial leaves.
        is_capturable: Whether updates may be captured as CUDA graphs.
    """

    engine: str
    flat: Flat
    grads: Tensor
    dropout_seeds: Tensor
    is_capturable: bool

    def __call__(self, x: Tensor, *, is_shared: bool = True, rows: list[int] | None = None) -> Tensor | list[Tensor]:
        """Return outputs (T, N, K), or a list of them when the model has auxiliary heads.

        Args:
            x: A batch (N, ...) that all trials share, or one each (T, N, ...).
            is_shared: Which of the two.
            rows: Only these trials (R); None for all.
        """
        ...

    def set_training(self, is_training: bool) -> None:
        """Switch between training and evaluation behaviour."""
        ...

    def set_gathering(self, is_gathering: bool, is_short: bool = False) -> bool:
        """Begin to gather exact statistics of batch norm, from none, in evaluation; or end it.

        Args:
            is_gathering: Which of the two.
            is_short: Whether an epoch has so few updates that a deep net's `auto` gathers too.

        Returns:
            Whether there are any to gather.
        """
        ...

    def prepare_grads(self) -> None:
        """Get ready for the first backward pass of an update."""
        ...

    def collect_grads(self, is_first: bool) -> None:
        """Bring the gradients of a backward pass into `grads`.

        Args:
            is_first: Whether they replace those of the update before, or are added.
        """
        ...

    def drop_grads(self) -> None:
        """Forget the gradients of a backward pass that came to nothing."""
        ...

    def seed_dropout(self, seeds: list[int], draw: int) -> None:
        """Name the dropout streams of each trial for one batch.

        Args:
            seeds: The dropout seed of each trial.
            draw: Number of the batch since the start.
        """
        ...

    def weights(self, trial: int) -> dict[str, Tensor]:
        """Return copies of one trial's parameters and persistent buffers by their module names."""
        ...

    def load_weights(self, trial: int, weights: dict[str, Tensor]) -> None:
        """Write one trial's parameters and persistent buffers."""
        ...

    def keep(self, rows: list[int]) -> None:
        """Drop all trials but these and free their memory."""
        ...


class Solo:
    """One trial: the plain module, its parameters views of the flat tensor's only row.

    Attributes:
        chain: The module's passes in training without autograd, where it is one that they are written out for.
    """

    engine = "solo"

    def __init__(
        self,
        model: nn.Module,
        *,
        device: torch.device,
        channels_last: bool,
        compile: bool = False,
        is_graph: bool = False,
    ) -> None:
        """Move an initialised model's parameters into the flat tensor.

        Args:
            model: Initialised.
            device: Where to train.
            channels_last: Store convolution weights with channels innermost.
            compile: Compile the model.
            is_graph: On CUDA, replay updates as graphs where the model is made of layers that they may be made of.
        """
        self.model = model.to(device)
        dtype = next(model.parameters()).dtype
        self.flat = Flat(model, 1, dtype=dtype, device=device, channels_last=channels_last)
        self.grads = torch.zeros_like(self.flat.tensor)
        self._pads = self.flat.pads(self.grads)
        parameters = dict(model.named_parameters())
        trained: list[Tensor] = [parameters[name] for name in self.flat.names]
        grads = [grad[0] for grad in self.flat.split(self.grads)]
        for parameter, view, grad in zip(trained, self.flat.views, grads, strict=True):
            view[0].copy_(parameter.detach())
            parameter.data, parameter.grad = view[0], grad
        self._call = torch.compile(model) if compile else model
        self.chain = None if compile else chain_of(model, trained, grads)
        self._outputs: Tensor | None = None
        self.is_capturable = device.type == "cuda" and is_graph and not compile and is_plain(model)
        self._fork = Fork([model], [trained], [grads]) if self.is_capturable else None
        dropouts = [module for module in model.modules() if isinstance(module, Inverted | Classic)]
        self.dropout_seeds = torch.zeros(1, len(dropouts), dtype=torch.int64, device=device)
        for number, dropout in enumerate(dropouts):
            dropout.seed = self.dropout_seeds[0, number]

    def __call__(self, x: Tensor, *, is_shared: bool = True, rows: list[int] | None = None) -> Tensor | list[Tensor]:
        """See `Forward`."""
        if self.chain is not None and self.chain.is_due():
            self._outputs = self.chain.forward(x, is_shared=is_shared).requires_grad_()
            return self._outputs
        if self._fork is not None and self._fork.is_due:
            return self._fork(x, is_shared=is_shared)
        outputs = self._call(x if is_shared else x[0])
        if isinstance(outputs, list):
            return [output.unsqueeze(0) for output in outputs]
        return outputs.unsqueeze(0)

    def set_training(self, is_training: bool) -> None:
        """See `Forward`."""
        switch_training(self.model, is_training)

    def set_gathering(self, is_gathering: bool, is_short: bool = False) -> bool:
        """See `Forward`."""
        return switch_gathering(self.model, dict(self.model.named_buffers()), is_gathering, is_short)

    def prepare_grads(self) -> None:
        """See `Forward`; a chain overwrites all but the pads."""
        if self.chain is not None and self.chain.is_due():
            for pad in self._pads:
                pad.zero_()
        else:
            self.grads.zero_()

    def collect_grads(self, is_first: bool) -> None:
        """See `Forward`; autograd adds to the views itself, or ends at the outputs of a chain."""
        outputs, self._outputs = self._outputs, None
        if self.chain is not None and outputs is not None and outputs.grad is not None:
            self.chain.backward(outputs.grad, is_first)

    def drop_grads(self) -> None:
        """See `Forward`; those of the parameters are overwritten before they are added to."""
        self._outputs = None

    def seed_dropout(self, seeds: list[int], draw: int) -> None:
        """See `Forward`."""
        write_seeds(self.dropout_seeds, seeds, draw)

    def weights(self, trial: int) -> dict[str, Tensor]:
        """See `Forward`."""
        assert trial == 0
        return {name: value.detach().clone() for name, value in self.model.state_dict().items()}

    def load_weights(self, trial: int, weights: dict[str, Tensor]) -> None:
        """See `Forward`."""
        assert trial == 0
        self.model.load_state_dict(weights)

    def keep(self, rows: list[int]) -> None:
        """See `Forward`."""
        assert rows == [0]


def switch_gathering(model: nn.Module, buffers: dict[str, Tensor], is_gathering: bool, is_short: bool) -> bool:
    """Let a model's batch norms gather exact statistics into its buffers, from none, or end it; see `Forward`."""
    moving = [(path, module) for path, module in model.named_modules() if not is_still(module)]
    rules = {path: getattr(module, "rule", MOVING).statistics for path, module in moving}
    norms = [path for path, statistics in rules.items() if statistics in ("auto", "exact")]
    is_auto = is_short and len(norms) >= DEEP
    chosen = [path for path in norms if not is_gathering or is_auto or rules[path] == "exact"]
    for path in chosen:
        object.__setattr__(model.get_submodule(path), "is_gathering", is_gathering)  # a flag, no part of the module
        if is_gathering:
            reset(buffers, path)
    return bool(chosen)


def is_plain(model: nn.Module) -> bool:
    """Whether a graph holds all that the model does: a user's module may count, or draw, in Python."""
    return all(type(module).__module__.startswith(("dlexp.", "torch.nn.")) for module in model.modules())


def write_seeds(seeds_TL: Tensor, seeds: list[int], draw: int) -> None:
    """Write the seed of each trial's dropout layers for one batch; the host does not wait."""
    if seeds_TL.numel():
        drawn_TL = layer_seeds(seeds, draw, seeds_TL.shape[1])
        seeds_TL.copy_(pinned(drawn_TL, seeds_TL.device), non_blocking=True)


def layer_seeds(seeds: list[int], draw: int, num_layers: int) -> Tensor:
    """Return the seed of each trial's dropout layers for one batch, int64 (T, L): a stream of its own for each."""
    return torch.tensor([derive_each(num_layers, seed, "dropout", draw) for seed in seeds], dtype=torch.int64)
