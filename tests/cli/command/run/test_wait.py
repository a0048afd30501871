"""`dlexp wait` takes sweeps and cross-validations; `tests/job/test_detached.py` waits for jobs."""

from dlexp.run.folder import RunFolder
from tests.command import run


def test_what_has_no_jobs_is_refused(tmp_path):
    made = RunFolder.create(tmp_path / "runs", "digits", "x", config={}, overrides=[], manifest={"kind": "train"})
    made.unlock()
    refused = run(tmp_path, "wait", made.run_id)
    assert refused.returncode == 2
    assert "got a train; only sweeps and cross-validations have jobs to wait for" in refused.stderr
