"""What a run's epochs and scores say of it, and what the data say beforehand: notes, for training itself worked.

Shapes: E epochs.
"""

from collections.abc import Sequence

import numpy as np

from dlexp.diagnose.evidence import Evidence
from dlexp.diagnose.rule import Reading, Rule

EPOCHS = 3  # that validation loss stays above its minimum
SLOPE = 5  # last epochs through which a line is laid
ERRORS = 2.0  # standard errors


def _column(e: Evidence, name: str) -> list[float]:
    values = [record.get(name) for record in e.history]
    return [float("nan") if value is None else float(value) for value in values]


def _overfit(e: Evidence) -> Reading | None:
    val, error, train = (_column(e, name) for name in ("val/loss", "val/loss_se", "train/loss"))
    if len(val) <= EPOCHS or not np.isfinite([*val, *error, *train]).all():
        return None
    best = int(np.argmin(val))
    rise = min((v - val[best]) / max(s, 1e-12) for v, s in zip(val[-EPOCHS:], error[-EPOCHS:], strict=True))
    is_falling = best < len(val) - EPOCHS and train[-1] < train[best]
    return Reading(rise, f"best at epoch {best + 1}") if is_falling and rise > ERRORS else None


def _unfinished(e: Evidence) -> Reading | None:
    val = _column(e, "val/loss")
    if len(val) < SLOPE or not np.isfinite(val).all() or int(np.argmin(val)) != len(val) - 1:
        return None
    ratio = -_slope(val[-SLOPE:])
    return Reading(ratio, f"epoch {len(val)}") if ratio > ERRORS else None


def _slope(values_E: Sequence[float]) -> float:
    """Return the slope of a line through values, by its standard error."""
    x_E = np.arange(len(values_E)) - (len(values_E) - 1) / 2
    slope = float(x_E @ np.asarray(values_E) / (x_E @ x_E))
    rest_E = np.asarray(values_E) - np.mean(values_E) - slope * x_E
    error = float(np.sqrt(rest_E @ rest_E / (len(values_E) - 2) / (x_E @ x_E)))
    return slope / max(error, 1e-12)


def _imbalance(e: Evidence) -> Reading | None:
    is_judged = e.config["trainer"]["monitor"] in ("auto", "val/accuracy")
    return Reading(e.smallest) if is_judged and e.smallest < 0.1 else None


def _twice(e: Evidence) -> list[str]:
    return [f"trainer.epochs={2 * e.config['trainer']['epochs']}"]


OUTCOMES = (
    Rule(
        "overfit",
        f"validation loss above its minimum for {EPOCHS} epochs, in standard errors, while training loss falls",
        "at most 2",
        "Prechelt (1998), Early Stopping - But When?",
        _overfit,
        lambda _: ["dropout=inverted", "trainer.patience=5"],
        is_cause=False,
    ),
    Rule(
        "unfinished",
        f"fall of validation loss over the last {SLOPE} epochs, slope by its standard error, the last epoch the best",
        "at most 2",
        "Goodfellow, Bengio, Courville (2016), Deep Learning, section 11.3",
        _unfinished,
        _twice,
        is_cause=False,
    ),
    Rule(
        "imbalance",
        "share of the rarest class times the number of classes, accuracy choosing the epoch",
        "at least 0.1",
        "He and Garcia (2009), Learning from Imbalanced Data, section 3",
        _imbalance,
        lambda _: ["trainer.monitor=val/f1_macro", "loss.class_weight=balanced"],
        is_cause=False,
    ),
)
