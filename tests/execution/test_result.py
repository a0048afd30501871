"""The end of a run: what is stored, and in which form."""

import pytest

from dlexp.build.program import assemble
from dlexp.config.resolve import resolve
from dlexp.engine.event import TrialEnd
from dlexp.execution import result as finish
from dlexp.run.folder import RunFolder


@pytest.mark.parametrize("status", ["interrupted", "diverged"])
def test_a_run_without_a_best_epoch_has_no_metrics(tmp_path, status):
    built = assemble(resolve(["data.limit=50", "tracking=none"]).config)
    known = {"kind": "train", "test_openings": 0, "data": {"name": "digits"}}
    folder = RunFolder.create(tmp_path, "digits", "x", config={}, overrides=[], manifest=known)
    result = finish.conclude_run(built, folder, TrialEnd(0, status, "", 0), seed=7, open_test=True)
    assert (result["status"], result["metrics"], result.get("report"), result["seed"]) == (status, {}, {}, 7)
    assert folder.result == result
    assert folder.manifest["test_openings"] == 0
    folder.unlock()
