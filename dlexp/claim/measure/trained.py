"""Statistics of a run besides its metrics."""

import tempfile
from pathlib import Path

import numpy as np
from torch import nn

from dlexp.door.call import train
from dlexp.door.run import Run

SMALL = 1e-3
BINS = 15


def small_share(run: Run) -> float:
    """Return the share of the weights of linear layers and convolutions whose size is below 0.001."""
    layers = [each for each in run.model.modules() if isinstance(each, nn.Linear | nn.Conv2d)]
    small = sum(int((layer.weight.abs() < SMALL).sum()) for layer in layers)
    return small / sum(layer.weight.numel() for layer in layers)


def calibration_error(run: Run) -> float:
    """Return the calibration error of the stored validation predictions: 15 equal bins of confidence, L1.

    References:
        Guo, Pleiss, Sun and Weinberger (2017), On Calibration of Modern Neural Networks, ICML, equation 3.
    """
    stored = run.predictions("val")
    is_right_N = (stored["prediction"] == stored["target"]).to_numpy()
    confidence_N = stored.filter(regex=r"^p\(").to_numpy().max(1)
    bins_N = np.minimum((confidence_N * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins_N, weights=is_right_N - confidence_N, minlength=BINS)
    return float(np.abs(gaps).sum() / len(stored))


def memorised(seed: int, overrides: list[str], is_random: bool, epochs: int) -> float:
    """Return the training accuracy on standard normal inputs whose labels are random, or the sign of the first input.

    Args:
        seed: Of data and training.
        overrides: Of `dlexp train`.
        is_random: Whether labels are drawn without a look at the inputs.
        epochs: Of training.
    """
    draws = np.random.default_rng(seed)
    x_ND = draws.standard_normal((600, 32)).astype(np.float32)
    y_N = draws.integers(0, 2, len(x_ND)) if is_random else (x_ND[:, 0] > 0).astype(np.int64)
    with tempfile.TemporaryDirectory(prefix="dlexp-claim-") as folder:
        path = Path(folder) / "random.npz"
        np.savez(path, x=x_ND, y=y_N)
        where = ["data=arrays", f"data.path={path}", "tracking=none", f"runs_dir={folder}", f"seed={seed}"]
        result = train([*overrides, *where, f"trainer.epochs={epochs}", "trainer.monitor=train/loss"])
    return float(result["metrics"]["train/accuracy"])
