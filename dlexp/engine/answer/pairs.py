"""Outputs that say whether two inputs are the same. Shapes: T trials, N pairs."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dlexp.engine.answer.classes import Classes
from dlexp.metric.probability import log_odds
from dlexp.metric.ranking import equal_error_rate, roc_auc

OF_PROBABILITIES = ("log_loss", "calibration_error")


@dataclass(frozen=True)
class SamePair(Classes):
    """Threshold and similarity of each pair, as the outputs of the classes different and same; see `Answer`.

    The larger of the two is the answer: a pair is called the same where its similarity exceeds the threshold, which is
    chosen on training pairs. So right answers are not counted while training, when there is none yet. No loss of pairs
    fits probabilities, and what reads them is left out.
    """

    has_accuracy = False

    def scores(self, outputs: Tensor, targets: Tensor, link: str) -> dict[str, Tensor]:
        """See `Answer`; also those that no threshold enters."""
        return _improbable(super().scores(outputs, targets, link)) | self._of_ranks(outputs, targets, link)

    def report(
        self, outputs: Tensor, targets: Tensor, link: str, beta: float, delta: float | Tensor
    ) -> dict[str, Tensor]:
        """See `Answer`."""
        scores = _improbable(super().report(outputs, targets, link, beta, delta))
        return scores | self._of_ranks(outputs, targets, link)

    def record_kind(self, name: str) -> str | None:
        """See `Answer`."""
        return None if name in OF_PROBABILITIES else super().record_kind(name)

    def _of_ranks(self, outputs: Tensor, targets: Tensor, link: str) -> dict[str, Tensor]:
        odds_TNK = log_odds(outputs, link)
        ranks = {
            "roc_auc": roc_auc(odds_TNK, targets)[:, self.positive],
            "eer": equal_error_rate(odds_TNK[..., 1], targets == 1),
        }
        is_broken_T = ~outputs.isfinite().flatten(1).all(-1)
        return {name: value.masked_fill(is_broken_T, torch.nan) for name, value in ranks.items()}


def _improbable(scores: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return metrics without those of probabilities."""
    return {name: value for name, value in scores.items() if name not in OF_PROBABILITIES}
