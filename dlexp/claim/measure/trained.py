"""Statistics of a run besides its metrics."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from torch import nn

from dlexp.door.call import train
from dlexp.door.run import Run, load

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
    with _trained(seed, 0.5 if is_random else 0.0, [*overrides, f"trainer.epochs={epochs}"]) as run:
        return float(run.result["metrics"]["train/accuracy"])


def calibration_gain(seed: int, overrides: list[str], flipped: float, smoothing: float) -> float:
    """Return the calibration error without label smoothing less that with it, where labels are signs, some flipped.

    Args:
        seed: Of data and training.
        overrides: Of `dlexp train`.
        flipped: Share of the labels that are exchanged.
        smoothing: Of the labels.
    """
    errors = []
    for amount in (0.0, smoothing):
        loss = ["loss=cross_entropy", f"loss.label_smoothing={amount}"]
        with _trained(seed, flipped, [*overrides, *loss]) as run:
            errors.append(calibration_error(run))
    return errors[0] - errors[1]


@contextmanager
def _trained(seed: int, flipped: float, overrides: list[str]) -> Iterator[Run]:
    """Train on 600 standard normal inputs (32) whose label is the first's sign, a share of them exchanged."""
    draws = np.random.default_rng(seed)
    x_ND = draws.standard_normal((600, 32)).astype(np.float32)
    y_N = (x_ND[:, 0] > 0) ^ (draws.random(len(x_ND)) < flipped)
    with tempfile.TemporaryDirectory(prefix="dlexp-claim-") as folder:
        path = Path(folder) / "signs.npz"
        np.savez(path, x=x_ND, y=y_N.astype(np.int64))
        where = ["data=arrays", f"data.path={path}", "tracking=none", f"runs_dir={folder}", f"seed={seed}"]
        result = train([*overrides, *where, "trainer.monitor=train/loss"])
        yield load(result["run_dir"])
