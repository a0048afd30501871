"""The largest class, or the mean of the values: what every model must beat.

Features: no input is read. Probabilities are the shares of the training part, as those of scikit-learn's
DummyClassifier (strategy "prior"); of equally large classes the first is called.
Shapes: N examples, K classes.
"""

import torch
from torch import Tensor

from dlexp.model.fitted.fitted import Fitted


class Majority(Fitted):
    """Guess without looking: the class shares of the training part, or the mean of its values, for every example."""

    answer: Tensor

    def __init__(self, *, num_outputs: int) -> None:
        super().__init__(num_outputs)
        self.register_buffer("answer", torch.empty(0))

    @property
    def is_fitted(self) -> bool:
        """See `Fitted`."""
        return len(self.answer) > 0

    def fit(self, x: Tensor, targets_N: Tensor) -> None:
        """See `Fitted`."""
        if self.has_classes:
            shares_K = torch.bincount(targets_N, minlength=self.num_outputs).double() / len(targets_N)
        else:
            shares_K = targets_N.double().mean().view(1)
        self.answer = shares_K.to(x.dtype)

    def predict(self, x: Tensor) -> Tensor:
        """See `Fitted`."""
        return self.answer.double().expand(len(x), -1)
