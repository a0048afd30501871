"""What a sweep's winner is worth once its having been picked is taken into account, from stored predictions."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from dlexp.job.sweep.document import SelectionBias
from dlexp.job.sweep.leaderboard import RankedSetting
from dlexp.random import generator
from dlexp.run.folder import RunFolder
from dlexp.statistic.selection import optimism

DRAWS = 500
LOSSES = ("loss", "log_loss", "mse")


def selection_bias(ranking: list[RankedSetting], metric: str) -> SelectionBias:
    """Return `picked_among`, `optimism`, `corrected` and `wins` of the best setting; empty where they are unknown.

    A setting's score on an example is the mean over its seeds of right or wrong, or of the negative loss. Unknown
    are metrics that are no mean over examples, such as F1, and settings validated on different examples.

    Args:
        ranking: The settings, best first.
        metric: The objective.
    """
    whole = [ranked for ranked in ranking if ranked.value is not None]
    name = metric.removeprefix("val/")
    if len(whole) < 2 or not metric.startswith("val/") or name not in ("accuracy", *LOSSES):
        return {}
    scores: list[Tensor] = []
    ids = None
    for ranked in whole:
        several = []
        for entry in ranked.entries:  # one trial's outputs at a time: those of all would not fit
            arrays = _read(entry.outcome.folder)
            if arrays is None:
                return {}
            ids = arrays["id"] if ids is None else ids
            if not np.array_equal(arrays["id"], ids):
                return {}
            several.append(_score(arrays, name))
        scores.append(torch.stack(several).mean(dim=0))
    found = optimism(torch.stack(scores), generator=generator(0, "optimism"), draws=DRAWS)
    sign = 1.0 if name == "accuracy" else -1.0
    value = whole[0].value or 0.0
    return {
        "picked_among": len(whole),
        "optimism": found.optimism,
        "corrected": value - sign * found.optimism,
        "wins": found.wins,
    }


def _read(folder: RunFolder) -> dict[str, np.ndarray] | None:
    return folder.predictions("val") if (folder.path / "predictions" / "val.npz").exists() else None


def _score(arrays: dict[str, np.ndarray], name: str) -> Tensor:
    """Return each example's score (N,), higher is better."""
    outputs, targets = torch.from_numpy(arrays["output"]), torch.from_numpy(arrays["target"])
    if outputs.dim() == 1 and targets.is_floating_point():
        return -((outputs - targets) ** 2).double()
    if outputs.dim() == 1 or outputs.shape[1] == 1:
        logits = outputs.reshape(-1).double()
        if name == "accuracy":
            return ((logits > 0) == targets.bool()).double()
        return -functional.binary_cross_entropy_with_logits(logits, targets.double(), reduction="none")
    if name == "accuracy":
        return (outputs.argmax(dim=1) == targets).double()
    return -functional.cross_entropy(outputs.double(), targets, reduction="none")
