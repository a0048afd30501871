"""Several targets, each scored as it is alone over the examples that have it.

Shapes: T trials, N examples, J targets, K outputs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from dlexp.data.joint.head import Head, of_columns
from dlexp.data.joint.scale import JointScale
from dlexp.engine.answer.classes import Classes
from dlexp.engine.answer.values import Unclassed, Values
from dlexp.kernel.joint_loss import narrow

Scored = dict[str, Tensor]


@dataclass(frozen=True)
class Several(Unclassed):
    """One head for each target; metrics are `TARGET/accuracy` and the like, see `dlexp.engine.answer.answer.Answer`.

    Attributes:
        heads: What the targets are.
    """

    heads: tuple[Head, ...] = ()

    def headline(self, *, is_single: bool) -> str:
        """See `Answer`; the weighted sum of losses."""
        return "loss"

    def fit_unit(self, targets: Tensor, train: Tensor) -> JointScale:
        """See `Answer`."""
        return JointScale.fit(targets, train, self.heads)

    def scores(self, outputs: Tensor, targets: Tensor, link: str) -> Scored:
        """See `Answer`."""
        return self._by_head(outputs, targets, lambda head, o, y: answer_of_head(head).scores(o, y, link))

    def report(self, outputs: Tensor, targets: Tensor, link: str, beta: float, delta: float | Tensor) -> Scored:
        """See `Answer`; numbers alone, and none that takes a constant of the loss: each target has its own."""

        def whole(head: Head, o: Tensor, y: Tensor) -> Scored:
            scored = answer_of_head(head).report(o, y, link, beta, 1.0)
            return {name: value for name, value in scored.items() if value.dim() == 1 and name != "huber"}

        return self._by_head(outputs, targets, whole)

    def stored(self, outputs_NK: Tensor) -> Tensor:
        """See `Answer`; all columns."""
        return outputs_NK

    def record_kind(self, name: str) -> str | None:
        """See `Answer`; of the weighted sum of losses alone."""
        return "losses" if name == "loss" else None

    def by_example(self, name: str, outputs_NK: Tensor, targets: Tensor, loss: Any, link: str) -> Tensor:
        """See `Answer`."""
        return loss.examples(outputs_NK[None], targets[None])[0]

    def _by_head(self, outputs: Tensor, targets: Tensor, score: Callable[[Head, Tensor, Tensor], Scored]) -> Scored:
        """Return what is scored of each target; of a stack's trials at once where all have the same examples."""
        scored: Scored = {}
        for place, (head, columns) in enumerate(zip(self.heads, of_columns(self.heads), strict=True)):
            o, y = narrow(outputs[..., columns]) if head.num_classes else outputs[..., columns], targets[..., place]
            trials = [slice(t, t + 1) for t in range(len(y))] if head.has_gaps else [slice(None)]
            pieces = [
                score(head, *_labelled(head, o[rows], y[rows]))
                for rows in trials
                if not head.has_gaps or not bool(y[rows].isnan().all())
            ]
            if len(pieces) == len(trials):
                for name in pieces[0]:
                    scored[f"{head.label}/{name}"] = torch.cat([piece[name] for piece in pieces])
        return scored


def answer_of_head(head: Head) -> Classes | Values:
    """Return what the outputs of one target mean."""
    return Classes(head.num_classes, head.positive) if head.num_classes else Values()


def _labelled(head: Head, outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return the examples that have the target, which are all or of one trial; classes as int64."""
    if head.has_gaps:
        rows = ~targets[0].isnan()
        outputs, targets = outputs[:, rows], targets[:, rows]
    return outputs, targets.long() if head.num_classes else targets
