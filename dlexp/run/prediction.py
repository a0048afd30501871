"""`predictions/<split>.npz`: what a run's best weights give for a part. Shapes: N examples, K classes."""

from pathlib import Path
from typing import Any

import numpy as np

from dlexp.disk.durable import disk_faults
from dlexp.error import RunError
from dlexp.run.array import read_arrays, write_arrays

FOLDER = "predictions"


def write(folder: Path, split: str, id: Any, target: Any, output: Any, *, is_synced: bool = True) -> str:
    """Write the predictions of a part atomically, and return the SHA-256 of the file.

    Args:
        folder: The run's.
        split: "val" or "test".
        id: Stable sample ids (N,), numbers or strings.
        target: Labels or values (N,).
        output: Logits (N, K) or values (N,).
        is_synced: Whether to wait until they are on the disk.
    """
    arrays = [np.asarray(values) for values in (id, target, output)]
    assert all(array.dtype.kind != "O" for array in arrays), "objects would need pickle to be read"
    assert len({len(array) for array in arrays}) == 1, "one id and target for each output"
    with disk_faults(folder / FOLDER):
        (folder / FOLDER).mkdir(exist_ok=True)
    arrays_by_name: dict[str, np.ndarray] = dict(zip(("id", "target", "output"), arrays, strict=True))
    return write_arrays(folder / FOLDER / f"{split}.npz", arrays_by_name, is_synced=is_synced)


def read(folder: Path, split: str, cure: str, digest: str | None = None) -> dict[str, np.ndarray]:
    """Return the arrays `id`, `target` and `output` of a part.

    Args:
        folder: The run's.
        split: "val" or "test".
        cure: What the user can do where they are damaged.
        digest: What `write` returned; None for those of a version that wrote none down.

    Raises:
        RunError: There are none, or they are damaged.
    """
    try:
        names = ("id", "target", "output")
        return read_arrays(folder / FOLDER / f"{split}.npz", names, cure, is_even=True, digest=digest)
    except FileNotFoundError as error:
        raise RunError(f"{folder}: no predictions for {split}; `dlexp eval` makes them") from error
