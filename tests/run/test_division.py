"""The file of each part's rows."""

import numpy as np
import pytest

from dlexp.error import RunError
from dlexp.run.division import read_division
from dlexp.run.folder import RunFolder


def test_what_was_written_is_read_and_damage_is_told(tmp_path):
    folder = RunFolder.create(tmp_path, "e", "x", config={}, overrides=[], manifest={"kind": "train"})
    assert read_division(folder) is None
    rows = {"train": np.array([0, 3]), "val": np.array([1]), "test": np.array([], dtype=np.int64)}
    folder.write_split(rows)
    division = read_division(folder)
    assert division is not None
    assert {part: rows.tolist() for part, rows in division.items()} == {"train": [0, 3], "val": [1], "test": []}
    (folder.path / "split.npz").write_bytes(b"")
    with pytest.raises(RunError, match=r"split\.npz: damaged \(it is empty or cut off\); restore it from a copy"):
        read_division(folder)
    folder.unlock()
