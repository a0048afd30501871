"""What a winner is worth: the optimism of having been picked as the best of many on the same examples.

Shapes: B resamples, S settings, N examples.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor

CELLS = 1 << 18  # numbers held at once in each table: two megabytes


@dataclass(frozen=True)
class Selection:
    """The winner of S settings under resampling of the examples.

    Attributes:
        value: The winner's mean score.
        optimism: How much of it comes from having been picked.
        corrected: value - optimism.
        wins: Share of the resamples in which the same setting wins; a tie of k settings counts as 1/k.
    """

    value: float
    optimism: float
    corrected: float
    wins: float


def optimism(scores_SN: "Tensor", *, generator: "torch.Generator", draws: int = 1000) -> Selection:
    """Estimate the optimism of picking the setting of the highest mean score.

    The whole selection is repeated on each resample of the examples: the setting that wins there is scored there and
    on the examples that the resample left out, and the mean difference is the optimism. Left-out examples are new to
    the selection, as those in the original sample that the resample repeats are not.

    Args:
        scores_SN: Score of each setting on each example, higher is better: 0 or 1 for accuracy, the negative loss.
        generator: Draws the resamples.
        draws: B.

    Raises:
        ValueError: Fewer than two examples.

    References:
        B. Efron (1983), Estimating the error rate of a prediction rule: improvement on cross-validation (out-of-bag);
        R. Tibshirani and R. Tibshirani (2009), A bias correction for the minimum error rate in cross-validation.
    """
    import torch

    num = scores_SN.shape[1]
    if num < 2:
        raise ValueError(f"got {num} examples; at least two are needed")
    scores_SN = scores_SN.double()
    means_S = scores_SN.mean(dim=1)
    winner = int(means_S.argmax())
    chunk = max(1, CELLS // max(num, len(scores_SN)))
    gaps, wins, counted = 0.0, 0.0, 0
    for start in range(0, draws, chunk):
        rows = torch.randint(num, (min(chunk, draws - start), num), generator=generator)
        counts_BN = torch.zeros(len(rows), num, dtype=torch.float64)
        counts_BN.scatter_add_(1, rows, torch.ones(rows.shape, dtype=torch.float64))
        inside_BS = counts_BN @ scores_SN.T / num
        left_BN = (counts_BN == 0).double()
        is_usable = left_BN.sum(dim=1) > 0
        outside_BS = left_BN @ scores_SN.T / left_BN.sum(dim=1, keepdim=True).clamp(min=1)
        picked_B = inside_BS.argmax(dim=1, keepdim=True)
        gap_B = (inside_BS.gather(1, picked_B) - outside_BS.gather(1, picked_B))[is_usable]
        gaps, counted = gaps + float(gap_B.sum()), counted + len(gap_B)
        is_first_BS = inside_BS == inside_BS.max(dim=1, keepdim=True).values
        wins += float((is_first_BS[:, winner] / is_first_BS.sum(dim=1)).sum())
    value = float(means_S[winner])
    gap = max(gaps / max(counted, 1), 0.0)
    return Selection(value, gap, value - gap, wins / draws)
