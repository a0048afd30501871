"""How Slurm's commands are called and read."""

import os
import shutil

import pytest

from dlexp.launcher import slurm_client as client
from tests.launcher import fake_slurm


@pytest.fixture
def queue(tmp_path, monkeypatch):
    place = fake_slurm.install(tmp_path / "queue")
    monkeypatch.setenv("PATH", f"{place}:{os.environ['PATH']}")
    return place


def test_what_a_job_hands_on_is_kept_from_its_own_jobs(queue, monkeypatch, tmp_path):
    (queue / "sinfo").write_text(f"#!/bin/sh\nenv | grep ^SLURM > '{tmp_path}/seen'; echo 'main*|up|(null)|1'\n")
    for name in ("SLURM_MEM_PER_CPU", "SBATCH_PARTITION", "SLURM_CONF"):
        monkeypatch.setenv(name, "x")
    assert client.partitions() == [client.Partition("main", True, 0, 1)]
    assert (tmp_path / "seen").read_text() == "SLURM_CONF=x\n"
    assert shutil.which("sbatch") == str(queue / "sbatch")


@pytest.mark.parametrize(
    ("gres", "num"),
    [("(null)", 0), ("gpu:2", 2), ("gpu:a100:4(S:0,1),shard:8", 4), ("gpu:a:1,gpu:b:2(S:0)", 3), ("mps:gpu:x", 0)],
)
def test_gpus_are_counted_in_a_nodes_resources(queue, gres, num):
    (queue / "sinfo").write_text(f"#!/bin/sh\necho 'main*|up|{gres}|1'\n")
    assert client.partitions()[0].num_gpus == num


def test_a_queue_that_does_not_answer_says_nothing_of_the_jobs(queue):
    (queue / "squeue").write_text("#!/bin/sh\nexit 1\n")
    assert client.states() is None
    (queue / "squeue").write_text("#!/bin/sh\necho '3|PENDING||Resources|a|b'; echo 'N/A|RUNNING|n1|None|other'\n")
    assert client.states() == {("a|b", 3): client.State("PENDING", "", "Resources")}
