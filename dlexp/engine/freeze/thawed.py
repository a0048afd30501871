"""The update of parameters some of which were frozen at first. Shapes: T trials, P padded parameters of a trial."""

from torch import Tensor, nn

from dlexp.engine.exchange.exchange import ALONE, Exchange
from dlexp.engine.forward import Forward
from dlexp.engine.graph.moment import Moment
from dlexp.engine.rule.rules import Rules
from dlexp.engine.step import Step


class Thawed(Step):
    """A step whose rule moves each share of the parameters by the number of its own updates.

    A rule of the user's whose state is not (T, P) moves all at once, by the number of all updates.

    Attributes:
        begin: First column of the parameters that were frozen; they are the last ones of the row.
        before: Updates that they were frozen for.
    """

    def __init__(
        self,
        forward: Forward,
        rules: Rules,
        model: nn.Module,
        precision: str = "fp32",
        exchange: Exchange = ALONE,
        *,
        begin: int,
        before: int,
    ) -> None:
        """Start from the program's present parameters."""
        self.begin, self.before = begin, before
        super().__init__(forward, rules, model, precision, exchange)
        if self.captures is not None:
            self.captures.has_rule = False

    def _move(self, params: Tensor, grads: Tensor, moment: Moment) -> None:
        assert isinstance(moment.step, int)  # a whole update is captured where all parameters count alike
        if any(value.shape != params.shape for value in self._rule_state.values()):
            return super()._move(params, grads, moment)
        for columns, before in ((slice(self.begin), 0), (slice(self.begin, None), self.before)):
            state = {name: value[:, columns] for name, value in self._rule_state.items()}
            decay = None if self._decay is None else self._decay[columns]
            step = moment.step - before
            self.rules.optimizer.update(params[:, columns], grads[:, columns], state, moment.lr_T1, step, decay)
        return None
