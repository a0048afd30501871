"""One update of T trials: forward, loss, gradient, regulariser, clip, rule, projection.

Shapes: T trials, N batch, K outputs, P padded parameters of a trial.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from dlexp.embedding.similarity import compared
from dlexp.engine import loss_scale
from dlexp.engine.dense.chain import Chain
from dlexp.engine.exchange.exchange import ALONE, Exchange
from dlexp.engine.exchange.weight import Weight, masses_of, weigh
from dlexp.engine.flat import matrix_names
from dlexp.engine.forward import Forward
from dlexp.engine.graph.moment import Moment
from dlexp.engine.graph.update import Captures
from dlexp.engine.rule.penalty import Penalty
from dlexp.engine.rule.rules import Rules
from dlexp.engine.stack.rows import select_rows
from dlexp.engine.sums import Sums, Totals
from dlexp.engine.task import Batch

PRECISION = {"fp32": None, "fp64": None, "bf16": torch.bfloat16, "fp16": torch.float16}


class Step:
    """Owns what an update changes besides the parameters: optimiser state, loss scale, averaged weights.

    Attributes:
        captures: Its updates as CUDA graphs; None where none are captured.
        state: Tensors (T, P) or (T, 1) by name: the optimiser's, "ema" and, in fp16, "loss_scale" and "good_steps".
    """

    def __init__(
        self, forward: Forward, rules: Rules, model: nn.Module, precision: str = "fp32", exchange: Exchange = ALONE
    ) -> None:
        """Start from the program's present parameters."""
        self.forward, self.rules, self.exchange = forward, rules, exchange
        params = forward.flat.tensor
        self._device, self._cast = params.device.type, PRECISION[precision]
        self._aux_weights = [1.0, *getattr(model, "aux_weights", [])]
        weights = forward.flat.mask(matrix_names(model))
        self._decay = None if getattr(rules.optimizer, "biases", True) else weights
        self._penalty = Penalty(forward.flat, None if getattr(rules.regularizer, "biases", False) else weights)
        self._chain: Chain | None = getattr(forward, "chain", None)
        self._rule_state = rules.optimizer.init(self._of_rule(params))
        self.state: dict[str, Tensor] = {f"rule.{name}": value for name, value in self._rule_state.items()}
        if rules.ema is not None:
            self.state["ema"] = params.clone()
        self._is_scaled = self._cast is torch.float16
        if self._is_scaled:
            self.state |= loss_scale.start(params)
        is_captured = forward.is_capturable and exchange.size == 1
        self.captures = Captures(self) if is_captured else None

    def __call__(
        self,
        batches: list[list[Batch]],
        lr_T1: Tensor,
        number: int,
        sums: Sums,
        seed_batch: Callable[[int], None] | None = None,
    ) -> None:
        """Do one update from one or more batches.

        Their gradients are averaged by their sizes, or by what else the loss is divided by, so that they make the
        gradient of the large batch.

        Args:
            batches: Each accumulated batch, in one for each length, ready for the model.
            lr_T1: Learning rate of each trial.
            number: The update's number, from 1.
            sums: Gets the losses and right answers added.
            seed_batch: Called with a batch's place in the update before it runs, to name its draws of dropout; None
                where the model draws nothing.
        """
        if self.captures is not None and self.captures.update(batches, lr_T1, number, sums, seed_batch):
            return
        self.differentiate(batches, sums, seed_batch)
        self._share_gradient()
        self.apply(Moment.of(lr_T1, number))

    def differentiate(
        self, batches: list[list[Batch]], sums: Sums | Totals, seed_batch: Callable[[int], None] | None = None
    ) -> None:
        """Bring the gradient of an update into the program's `grads`; arguments as of a call."""
        with self._casting():  # whether a net is passed as links depends on it
            self.forward.prepare_grads()
        weights = None
        if len(batches) > 1 or self.exchange.size > 1:
            weights = weigh(batches, self._masses, self.num_trials, self.forward.flat.tensor, self.exchange)
        is_first = True
        for place, by_length in enumerate(batches):
            if seed_batch is not None:
                seed_batch(place)
            for number, batch in enumerate(by_length):
                self._backward(batch, None if weights is None else weights[place][number], is_first, sums)
                is_first = False

    @torch.no_grad()
    def apply(self, moment: Moment) -> None:
        """Move the parameters by the gradients, whatever the precision."""
        if self._is_scaled:
            self._scaled_update(moment)
        else:
            self._apply(moment)

    def _backward(self, batch: Batch, weight: Weight | None, is_first: bool, sums: Sums | Totals) -> None:
        """Add the gradients of a batch to those of the update."""
        if self._chain is not None and weight is None and self._cast is None:
            made = self._chain.differentiate(self.rules.loss, batch, is_first)
            if made is not None:
                return sums.add(*made, batch)
        if batch.share is not None:
            if not batch.num and not self.exchange.has_synced:
                if is_first:
                    self.forward.grads.zero_()
                return None
            self.exchange.place(batch.share)
        outputs = self._outputs(batch)
        if not batch.num:
            return self._pass_on(outputs, is_first)
        loss_R = self._loss(outputs, batch, is_by_term=weight is not None and weight.is_by_term)
        objective_R = loss_R if weight is None else weight.in_update(loss_R)
        counted_R = loss_R if weight is None else weight.in_epoch(loss_R)
        if self._is_scaled:
            scale = self.state[loss_scale.SCALE][:, 0]
            objective_R = objective_R * (scale if batch.rows is None else scale[batch.rows])
        # A scalar: torch imports its symbolic shapes, for seconds, when a gradient to start from is passed.
        (objective_R.squeeze(0) if len(objective_R) == 1 else objective_R.sum()).backward()
        self.forward.collect_grads(is_first)
        return sums.add(counted_R.detach(), (outputs[0] if isinstance(outputs, list) else outputs).detach(), batch)

    def _pass_on(self, outputs: Tensor | list[Tensor], is_first: bool) -> None:
        """Take part in what other devices sum up of a batch, of which none of the examples is here."""
        heads = outputs if isinstance(outputs, list) else [outputs]
        torch.stack([head.sum() for head in heads]).sum().backward()
        self.forward.collect_grads(is_first)

    def _masses(self, batch: Batch) -> Tensor | None:
        return masses_of(self._loss_of(batch), batch, self.num_trials, self.forward.flat.tensor)

    def _loss_of(self, batch: Batch) -> Any:
        return self.rules.loss if batch.rows is None else select_rows(self.rules.loss, batch.rows, self.num_trials)

    def _casting(self) -> AbstractContextManager[object]:
        return nullcontext() if self._cast is None else torch.autocast(self._device, dtype=self._cast)

    def _outputs(self, batch: Batch) -> Tensor | list[Tensor]:
        with self._casting():
            return self.forward(batch.x, is_shared=batch.is_shared, rows=batch.rows)

    def _loss(self, outputs: Tensor | list[Tensor], batch: Batch, *, is_by_term: bool) -> Tensor:
        """Return the loss of each trial (R,), or its terms (J, R)."""
        loss, targets, heads = self._loss_of(batch), batch.targets, outputs if isinstance(outputs, list) else [outputs]
        if len(targets) < len(heads[0]):
            targets = targets.expand(len(heads[0]), *targets.shape[1:])
        read = [compared(self._full(head), getattr(loss, "similarity", None)) for head in heads]
        losses = [torch.stack(loss.terms(head, targets)) if is_by_term else loss(head, targets) for head in read]
        if not isinstance(outputs, list):
            return losses[0]
        return torch.stack([w * each for w, each in zip(self._aux_weights, losses, strict=True)]).sum(0)

    def _full(self, outputs: Tensor) -> Tensor:
        """Return outputs in full precision: a loss in half precision loses small probabilities."""
        return outputs if self._cast is None else outputs.float()

    def _apply(self, moment: Moment) -> None:
        params, grads, rules = self.forward.flat.tensor, self.forward.grads, self.rules
        self._add_penalty(params, grads)
        if rules.grad_clip is not None:
            grads.mul_((rules.grad_clip / (self._norm(grads) + 1e-6)).clamp(max=1.0))
        self._move(params, grads, moment)
        self._penalty.project(rules.regularizer)
        if rules.ema is not None:
            self.state["ema"].lerp_(params, 1 - rules.ema.clamp(max=moment.most_kept))

    def _of_rule(self, row_TP: Tensor) -> Tensor:
        """Return the elements that the rule is applied to here: all."""
        return row_TP

    def _share_gradient(self) -> None:
        self.exchange.sum(self.forward.grads)

    def _norm(self, grads: Tensor) -> Tensor:
        return grads.norm(dim=1, keepdim=True)

    def _are_finite(self, grads: Tensor) -> Tensor:
        return grads.isfinite().all(dim=1, keepdim=True)

    def _move(self, params: Tensor, grads: Tensor, moment: Moment) -> None:
        self.rules.optimizer.update(params, grads, self._rule_state, moment.lr_T1, moment.step, self._decay)

    def _scaled_update(self, moment: Moment) -> None:
        """Divide by the loss scale and undo the update of trials whose gradient overflowed."""
        grads = self.forward.grads
        grads.div_(self.state[loss_scale.SCALE])
        is_finite = self._are_finite(grads)
        loss_scale.undo_overflow(self.forward.flat.tensor, self.state, is_finite, lambda: self._apply(moment))

    def _add_penalty(self, params: Tensor, grads: Tensor) -> None:
        self._penalty.add(self.rules.regularizer, params, grads)

    @property
    def num_trials(self) -> int:
        """Trials that still train."""
        return self.forward.flat.tensor.shape[0]

    def keep(self, rows: list[int]) -> None:
        """Drop all trials but these and free their memory; without any the last rows stay, but no graph."""
        if self.captures is not None:
            self.captures.close()
        if not rows:
            return
        self.rules = self.rules.keep(rows, self.num_trials)
        self.forward.keep(rows)
        self.state = {name: value[rows] for name, value in self.state.items()}
        self._rule_state = {name[5:]: value for name, value in self.state.items() if name.startswith("rule.")}

    def row_state(self, row: int) -> dict[str, Tensor]:
        """Return the state of a trial, of all devices together."""
        return {name: value[row : row + 1] for name, value in self.state.items()}

    def load_row(self, row: int, saved: dict[str, Tensor]) -> None:
        """Put a trial where `row_state` was taken."""
        assert self.state.keys() == saved.keys()
        for name, value in saved.items():
            self.state[name][row : row + 1].copy_(value)

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Put the averaged weights, where there are any, in the place of the trained ones for a while."""
        params, ema = self.forward.flat.tensor, self.state.get("ema")
        if ema is None:
            yield
            return
        trained = params.clone()
        params.copy_(ema)
        try:
            yield
        finally:
            params.copy_(trained)

    def penalty(self) -> Tensor:
        """Return the regulariser's term of each trial (T,), 0 without one."""
        return self._penalty.total(self.rules.regularizer)
