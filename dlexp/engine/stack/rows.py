"""A stack's parameters and buffers: leaves to differentiate by, one trial's out of them, fewer trials.

Shapes: T trials, P padded parameters of a trial.
"""

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from dlexp.device import send_soon, take_rows
from dlexp.dropout import Classic, Inverted
from dlexp.engine.flat import Flat
from dlexp.engine.forward import is_plain, switch_gathering, write_seeds


class Rows:
    """Owns what T models of one structure differ in.

    Attributes:
        template: The structure; its own values are not used.
        flat: Trained parameters (T, P).
        grads: Their gradients (T, P).
        grad_views: One view (T, *shape) of `grads` for each parameter.
        buffers: Buffers and frozen parameters by name, each (T, *shape); dropout's seeds and rates among them.
        dropout_seeds: Of each trial's layers (T, L), of which the buffers are columns.
        is_capturable: Whether updates may be captured as CUDA graphs.
    """

    def __init__(
        self, models: list[nn.Module], *, device: torch.device, channels_last: bool, is_graph: bool = False
    ) -> None:
        """Stack initialised models of equal structure.

        Args:
            models: On any device.
            device: Where to train.
            channels_last: Store convolution weights with channels innermost.
            is_graph: On CUDA, replay updates as graphs where the models are made of layers that they may be made of.
        """
        first = models[0]
        self.is_capturable = device.type == "cuda" and is_graph and is_plain(first)
        self.template = copy.deepcopy(first).to(device)
        dtype = next(first.parameters()).dtype
        self.flat = Flat(first, len(models), dtype=dtype, device=device, channels_last=channels_last)
        self._saved_names = list(first.state_dict())
        named = [dict(model.named_parameters()) for model in models]
        for name, view in zip(self.flat.names, self.flat.views, strict=True):
            for row, parameters in enumerate(named):
                view[row].copy_(parameters[name].detach())
        fixed = [name for name, p in first.named_parameters() if not p.requires_grad]
        buffers = [
            {**dict(m.named_buffers()), **{n: p[n].detach() for n in fixed}} for m, p in zip(models, named, strict=True)
        ]
        self.buffers = {name: torch.stack([tensors[name] for tensors in buffers]).to(device) for name in buffers[0]}
        self._dropouts = [n for n, module in first.named_modules() if isinstance(module, Inverted | Classic)]
        self._renew()

    @property
    def num_trials(self) -> int:
        """Trials that still train."""
        return self.flat.tensor.shape[0]

    def _renew(self) -> None:
        self.grads = torch.zeros_like(self.flat.tensor)
        self.grad_views, self._pads = self.flat.split(self.grads), self.flat.pads(self.grads)
        # A leaf for each parameter: one for all would cost a concatenation of all gradients, a fifth of a step.
        self._leaves = [view.detach().requires_grad_() for view in self.flat.views]
        shape = (self.num_trials, len(self._dropouts))
        self.dropout_seeds = torch.zeros(shape, dtype=torch.int64, device=self.flat.tensor.device)
        for name, seeds_T in zip(self._dropouts, self.dropout_seeds.unbind(1), strict=True):
            self.buffers[f"{name}.seed"] = seeds_T

    def set_gathering(self, is_gathering: bool, is_short: bool = False) -> bool:
        """See `dlexp.engine.forward.Forward`."""
        return switch_gathering(self.template, self.buffers, is_gathering, is_short)

    def prepare_grads(self) -> None:
        """See `dlexp.engine.forward.Forward`."""

    def collect_grads(self, is_first: bool) -> None:
        """See `dlexp.engine.forward.Forward`."""
        for leaf, view in zip(self._leaves, self.grad_views, strict=True):
            if leaf.grad is None:
                view.mul_(not is_first)
            elif is_first:
                view.copy_(leaf.grad)
            else:
                view.add_(leaf.grad)
            leaf.grad = None
        for pad in self._pads:
            pad.zero_()

    def drop_grads(self) -> None:
        """See `dlexp.engine.forward.Forward`."""
        for leaf in self._leaves:
            leaf.grad = None

    def parameters(self) -> dict[str, Tensor]:
        """Return the trained parameters by name, each (T, *shape)."""
        return dict(zip(self.flat.names, self._leaves, strict=True))

    def seed_dropout(self, seeds: list[int], draw: int) -> None:
        """Write each trial's and layer's dropout seed for one batch."""
        write_seeds(self.dropout_seeds, seeds, draw)

    def weights(self, trial: int) -> dict[str, Tensor]:
        """Return copies of one trial's parameters and persistent buffers by their module names."""
        stacked = self._stacked()
        return {name: stacked[name][trial].detach().clone() for name in self._saved_names}

    @torch.no_grad()
    def load_weights(self, trial: int, weights: dict[str, Tensor]) -> None:
        """Write one trial's parameters and persistent buffers."""
        stacked = self._stacked()
        for name in self._saved_names:
            stacked[name][trial].copy_(weights[name])

    def _stacked(self) -> dict[str, Tensor]:
        return {**dict(zip(self.flat.names, self.flat.views, strict=True)), **self.buffers}

    def keep(self, rows: list[int]) -> None:
        """Drop all trials but these and free their memory."""
        chosen = send_soon(torch.tensor(rows), self.flat.tensor.device)
        self.flat.tensor = self.flat.tensor.index_select(0, chosen)
        self.flat.views = self.flat.split(self.flat.tensor)
        self.buffers = {name: value.index_select(0, chosen) for name, value in self.buffers.items()}
        self._renew()


def select_rows(owner: Any, rows: list[int], num_trials: int) -> Any:
    """Return a copy of an object whose per-trial hyperparameters, tensors (T, 1) or lists of them, have only some rows.

    Args:
        owner: A loss, update rule, schedule or regulariser.
        rows: The rows to keep.
        num_trials: T; tensors of other shapes are left alone.
    """
    return _changed(owner, num_trials, lambda value_T1: take_rows(value_T1, rows))


def repeat_rows(owner: Any, times: int, num_trials: int) -> Any:
    """Return a copy of an object as `select_rows` does, with every row `times` times over: a row for each example."""
    return _changed(owner, num_trials, lambda value_T1: value_T1.repeat_interleave(times, 0))


def _changed(owner: Any, num_trials: int, change: Callable[[Tensor], Tensor]) -> Any:
    chosen = copy.copy(owner)
    for name, value in vars(owner).items():
        if _is_per_trial(value, num_trials):
            object.__setattr__(chosen, name, change(value))  # update rules are frozen dataclasses
        elif isinstance(value, list) and value and all(_is_per_trial(item, num_trials) for item in value):
            object.__setattr__(chosen, name, [change(item) for item in value])
    return chosen


def _is_per_trial(value: Any, num_trials: int) -> bool:
    return isinstance(value, Tensor) and value.shape == (num_trials, 1)


def take(value: Tensor, chosen: Tensor) -> Tensor:
    """Return rows of (T, *shape) as they lie in memory: a kernel rounds by where the channels of its weights are."""
    if value.dim() < 5 or value.stride(2) != 1:
        return value.index_select(0, chosen)
    return value.movedim(2, -1).index_select(0, chosen).movedim(-1, 2)


def join(x: Tensor) -> Tensor:
    """Return (T, N, ...) as (T * N, ...), images with the channels where they were in memory."""
    if x.dim() < 4:
        return x.flatten(0, 1)
    is_last = x[0].movedim(1, -1).is_contiguous()
    return x.movedim(2, -1).flatten(0, 1).movedim(-1, 1) if is_last else x.flatten(0, 1)
