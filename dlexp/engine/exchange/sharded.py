"""An update whose optimiser state is divided over the devices: each applies the rule to a slice of the weights.

Gradients are summed to the device whose slice they are of (reduce-scatter), the rule moves that slice, and the slices
come together again (all-gather): as many elements on the wire as a sum over all devices, 1 / W of the state on each.

Shapes: P padded parameters, S of a device's slice, W devices; one trial.

References:
    Rajbhandari et al. (2020), ZeRO: Memory Optimizations Toward Training Trillion Parameter Models, SC, section 5.1.
"""

from typing import Any

import torch
from torch import Tensor, nn

from dlexp.engine.exchange.exchange import Exchange
from dlexp.engine.exchange.share import slices
from dlexp.engine.forward import Forward
from dlexp.engine.graph.moment import Moment
from dlexp.engine.loss_scale import SCALE
from dlexp.engine.rule.rules import Rules
from dlexp.engine.step import Step
from dlexp.error import ConfigError


class Sharded(Step):
    """A step that holds the rule's state of its slice.

    Averaged weights and the loss scale stay whole on every device.

    Raises:
        ConfigError: The rule may look at more than one weight at a time.
    """

    def __init__(self, forward: Forward, rules: Rules, model: nn.Module, precision: str, exchange: Exchange) -> None:
        """Start from the program's present parameters."""
        _require_elementwise(rules.optimizer)
        self._bounds = slices(forward.flat.tensor.shape[1], exchange.size)
        self._slice = slice(*self._bounds[exchange.rank])
        super().__init__(forward, rules, model, precision, exchange)
        divided = [name for name in self.state if self._is_divided(name)]
        self._whole = {name: torch.empty_like(forward.flat.tensor, device="meta") for name in divided}
        self._own_decay = None if self._decay is None else self._decay[self._slice]
        exchange.on_bringing(self._collect)

    def row_state(self, row: int) -> dict[str, Tensor]:
        """Return the whole state, which the first device has of the last time that all brought theirs together."""
        return super().row_state(row) | self._whole

    def load_row(self, row: int, saved: dict[str, Tensor]) -> None:
        """Take the slice of a whole state."""
        divided = {name: value[:, self._slice] if name in self._whole else value for name, value in saved.items()}
        super().load_row(row, divided)

    def _of_rule(self, row_TP: Tensor) -> Tensor:
        return row_TP[:, self._slice]

    def _share_gradient(self) -> None:
        """Sum the gradients of a slice on its device, after the first device has added the penalty's."""
        grads = self.forward.grads
        if self.exchange.rank == 0:
            scale = self.state[SCALE] if self._is_scaled else 1.0  # a power of two: dividing by it is exact
            super()._add_penalty(self.forward.flat.tensor, grads.div_(scale))
            grads.mul_(scale)
        self.exchange.sum_slices(grads[0], self._bounds)

    def _add_penalty(self, params: Tensor, grads: Tensor) -> None:
        """Add nothing more: the gradient has it from the first device."""

    def _norm(self, grads: Tensor) -> Tensor:
        squares = self._of_rule(grads).square().sum(1, keepdim=True)
        return self.exchange.sum(squares).sqrt()

    def _are_finite(self, grads: Tensor) -> Tensor:
        is_broken = ~super()._are_finite(self._of_rule(grads))
        return self.exchange.sum(is_broken.to(grads.dtype)) == 0

    def _move(self, params: Tensor, grads: Tensor, moment: Moment) -> None:
        slice_params, slice_grads = self._of_rule(params), self._of_rule(grads)
        rule = self.rules.optimizer
        rule.update(slice_params, slice_grads, self._rule_state, moment.lr_T1, moment.step, self._own_decay)
        self.exchange.gather_slices(params[0], self._bounds)

    def _is_divided(self, name: str) -> bool:
        first, end = self._bounds[self.exchange.rank]
        return name.startswith("rule.") and self.state[name].shape[1] == end - first

    def _collect(self) -> None:
        """Bring the state together on the first device, in the memory of its host. Collective."""
        for name in self._whole:
            whole = self.exchange.collect(self.state[name][0], self._bounds)
            if whole is not None:
                self._whole[name] = whole[None]


def _require_elementwise(rule: Any) -> None:
    if not (type(rule).__module__.startswith("dlexp.") or getattr(rule, "is_elementwise", False)):
        raise ConfigError(
            f"trainer.shard: got true with optimizer {type(rule).__name__}; its state can be divided if each weight's "
            "update depends on that weight alone: then set is_elementwise = True in the class"
        )
