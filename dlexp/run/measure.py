"""The constants of a trained run's metrics, from its ``model.json``."""

from dataclasses import replace
from typing import Any

from dlexp.data.joint.head import Head
from dlexp.disk.regular import read_bytes
from dlexp.error import RunError
from dlexp.run.folder import RunFolder
from dlexp.run.jsonable import sealed, unsealed
from dlexp.statistic.measure import Measure

FILE = "model.json"


def read_measure(folder: RunFolder) -> Measure:
    """Return the constants of one training; those of version 0.1 had no record and took the defaults.

    Raises:
        RunError: The run has no such file.
    """
    path = folder.path / FILE
    try:
        return Measure(**unsealed(read_bytes(path)).get("measure", {}))
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise RunError(f"{path}: cannot be read; restore it from a copy or train the run anew") from error


def write_threshold(folder: RunFolder, threshold: float) -> None:
    """Write down the threshold of pairs that a training's best weights have, once it is over."""
    about = unsealed(read_bytes(folder.path / FILE))
    folder.write(FILE, sealed({**about, "pairs": {**about["pairs"], "threshold": threshold}}))


def read_class_names(folder: RunFolder) -> list[str]:
    """Return the names of the classes of a training or an ensemble; none for values.

    Raises:
        RunError: The run has no such file.
    """
    return [str(name) for name in _stated(folder, "class_names")]


def read_heads(folder: RunFolder) -> list[Head]:
    """Return what each of several targets of one training is; empty for one.

    Raises:
        RunError: The run has no such file.
    """
    return [Head(**head) for head in _stated(folder, "heads")]


def _stated(folder: RunFolder, name: str) -> list[Any]:
    path = folder.path / FILE
    try:
        return list(unsealed(read_bytes(path)).get(name, []))
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise RunError(f"{path}: cannot be read; restore it from a copy or train the run anew") from error


def read_layers(folder: RunFolder) -> list[str]:
    """Return the names of a training's weights from the input on; none where an earlier version wrote none down."""
    try:
        return [str(name) for name in unsealed(read_bytes(folder.path / FILE)).get("layers", [])]
    except (OSError, ValueError, AttributeError, TypeError):
        return []


def pooled(measures: list[Measure]) -> Measure:
    """Return the constants for the pooled predictions of folds: the mean of their deltas, the rest as it is."""
    return replace(measures[0], delta=sum(measure.delta for measure in measures) / len(measures))
