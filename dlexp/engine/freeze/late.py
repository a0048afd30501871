"""The update of parameters some of which were frozen at first. Shapes: T trials, P padded parameters of a trial."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor


@dataclass(frozen=True)
class Late:
    """The parameters that were frozen at first.

    Attributes:
        begin: First column of theirs; they are the last ones of the row.
        before: Updates that they were frozen for, which the update rule does not count for them.
    """

    begin: int
    before: int

    def update(
        self,
        rule: Any,
        params_TP: Tensor,
        grads_TP: Tensor,
        state: dict[str, Tensor],
        lr_T1: Tensor,
        step: int,
        decay_P: Tensor | None,
    ) -> None:
        """Have the rule move the parameters, each share by the number of its own updates.

        A rule of the user's whose state is not (T, P) moves all at once, by the number of all updates.
        """
        if any(value.shape != params_TP.shape for value in state.values()):
            return rule.update(params_TP, grads_TP, state, lr_T1, step, decay_P)
        for columns, before in ((slice(self.begin), 0), (slice(self.begin, None), self.before)):
            decay = None if decay_P is None else decay_P[columns]
            shares = {name: value[:, columns] for name, value in state.items()}
            rule.update(params_TP[:, columns], grads_TP[:, columns], shares, lr_T1, step - before, decay)
        return None
