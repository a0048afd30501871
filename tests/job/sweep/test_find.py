"""``last`` is the newest sweep, whatever was run since."""

import pytest

from dlexp.error import RunError
from dlexp.job.sweep.find import find_sweep
from dlexp.run.folder import RunFolder


def make(runs_dir, run_id, **manifest):
    folder = RunFolder.create(runs_dir, "x", "s", config={}, overrides=[], manifest=manifest, run_id=run_id)
    folder.unlock()
    return folder


def test_last_is_the_newest_sweep(tmp_path):
    with pytest.raises(RunError, match="last: got no sweeps"):
        find_sweep("last", tmp_path)
    make(tmp_path, "a1", kind="sweep")
    newest = make(tmp_path, "a2", kind="sweep")
    run = make(tmp_path, "a3", kind="train")
    make(tmp_path, "a4", kind="sweep", **{"from": {"sweep": "a2"}})  # over the seeds of a winner
    assert find_sweep("last", tmp_path).path == newest.path
    assert find_sweep("a3", tmp_path).path == run.path
