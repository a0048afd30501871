"""A run that may only be read works as if it were written to, and no byte of it changes."""

import numpy as np

from dlexp.job.inference.unwritten import Unwritten
from dlexp.run.folder import RunFolder


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_written_can_be_read_again_and_is_not_in_the_folder(tmp_path):
    stored = RunFolder.create(tmp_path, "digits", "x", config={}, overrides=[], manifest={"kind": "train", "seed": 1})
    stored.unlock()
    before = contents(stored.path)
    folder = Unwritten(stored.path)
    folder.lock()
    folder.update_manifest(test_openings=3)
    folder.write_predictions("val", ["a", "b"], [0, 1], np.zeros((2, 2)))
    folder.write_result({"best": 1.0})
    folder.log("evaluated")
    folder.unlock()
    assert (folder.manifest["test_openings"], folder.manifest["seed"]) == (3, 1)
    assert folder.predictions("val")["id"].tolist() == ["a", "b"]
    assert folder.result == {"best": 1.0}
    assert contents(stored.path) == before
    assert "test_openings" not in stored.manifest
