"""A run whose folder may only be read: what would be written is held in memory, and is gone with the process."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from dlexp.run.folder import MANIFEST, RESULT, RunFolder
from dlexp.run.jsonable import unsealed


class Unwritten(RunFolder):
    """A run's folder that is read, never written.

    Args:
        path: The folder.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._texts: dict[str, str] = {}
        self._predictions: dict[str, dict[str, np.ndarray]] = {}

    def lock(self) -> None:
        """Do nothing: nothing is written."""

    def child(self, run_id: str) -> "Unwritten":
        """Return one trial or fold, which is not written either."""
        return Unwritten(super().child(run_id).path)

    @property
    def manifest(self) -> dict[str, Any]:
        """The manifest, with what was changed in memory."""
        return unsealed(self._texts[MANIFEST].encode()) if MANIFEST in self._texts else super().manifest

    @property
    def result(self) -> Any | None:
        """The result, with what was changed in memory."""
        return unsealed(self._texts[RESULT].encode()) if RESULT in self._texts else super().result

    def write(self, name: str, content: str) -> None:
        """Hold a text file in memory."""
        self._texts[name] = content

    def write_predictions(self, split: str, id: Any, target: Any, output: Any) -> None:
        """Hold the predictions of a part in memory."""
        self._predictions[split] = {"id": np.asarray(id), "target": np.asarray(target), "output": np.asarray(output)}

    def predictions(self, split: str) -> dict[str, np.ndarray]:
        """Return predictions, those held before those stored."""
        return self._predictions[split] if split in self._predictions else super().predictions(split)

    def log(self, entry: str) -> None:
        """Do nothing: the log cannot be written either."""


def is_writable(folder: RunFolder) -> bool:
    """Say whether this process may write into a run's folder."""
    return os.access(folder.path, os.W_OK | os.X_OK)
