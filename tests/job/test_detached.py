"""A sweep that is left to its jobs, on a Slurm that is played: submitted, listed, collected."""

import json
import os

import pytest

from dlexp.launcher import slurm_pool
from tests.command import run
from tests.launcher import fake_slurm

SWEEP = ["sweep", "optimizer.lr=0.1,0.2", "trainer.epochs=1", "data.limit=60", "model.widths=[4]", "trainer.fuse=off"]


@pytest.mark.slow
def test_a_detached_sweep_is_listed_with_its_jobs_and_collected_once(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{fake_slurm.install(tmp_path / 'queue')}:{os.environ['PATH']}")
    monkeypatch.setattr(slurm_pool, "QUEUE_SECONDS", 0.2)
    words = [*SWEEP, "tracking=none", "launcher=slurm"]
    left = json.loads(run(tmp_path, *words, "--detach", "--json").stdout)
    assert (left["status"], left["jobs"]) == ("detached", 2)
    (record,) = json.loads(run(tmp_path, "runs", "--json").stdout)
    assert record["status"] == "detached"
    assert sum(record["jobs"].values()) == 2
    waited = run(tmp_path, "wait", "last", "--json")
    assert waited.returncode == 0
    trials = json.loads(waited.stdout)["trials"]
    assert [trial["status"] for trial in trials] == ["finished"] * 2
    assert len(list((tmp_path / "queue").glob("*.number"))) == 2, "the probe and one array"


def test_a_launcher_that_ends_with_its_command_cannot_be_left(tmp_path):
    refused = run(tmp_path, *SWEEP, "tracking=none", "--detach")
    assert refused.returncode == 2
    assert refused.stderr.startswith("config error: --detach: got a launcher that ends with its command")
    assert not (tmp_path / "runs").exists()
