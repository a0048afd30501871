"""What `launcher=slurm` asks of Slurm, and refuses before anything is made."""

import os
import sys

import pytest

from dlexp.error import ConfigError
from dlexp.launcher.slurm import Slurm
from tests.launcher import fake_slurm


@pytest.fixture
def queue(tmp_path, monkeypatch):
    place = fake_slurm.install(tmp_path / "queue")
    monkeypatch.setenv("PATH", f"{place}:{os.environ['PATH']}")
    return place


def refuse(queue, words):
    (queue / "sbatch").write_text(f"#!/bin/sh\necho '{words}' >&2; exit 1\n")


def test_a_partition_or_gpus_that_are_not_there_are_told_with_the_choice(queue):
    Slurm(partition="main", gpus_per_node=2).require()
    Slurm().require()
    with pytest.raises(
        ConfigError, match=r"^launcher.partition: got mian; .* choose of main, big; did you mean main\?"
    ):
        Slurm(partition="mian").require()
    with pytest.raises(ConfigError, match=r"^launcher.gpus_per_node: got 4; the nodes of partition main have 2$"):
        Slurm(gpus_per_node=4).require()
    with pytest.raises(ConfigError, match=r"got 1; the nodes of partition big have none$"):
        Slurm(partition="big", gpus_per_node=1).require()


def test_what_slurm_would_refuse_is_told_in_its_words(queue):
    refuse(queue, "allocation failure: Invalid account or account/partition combination specified")
    with pytest.raises(ConfigError, match=r"would refuse such jobs: allocation failure: Invalid account"):
        Slurm(account="nobody").require()


def test_without_slurm_the_missing_command_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match=r"^launcher: got slurm; there is no sbatch on PATH; .*launcher=local"):
        Slurm().require()


@pytest.mark.parametrize(("gpus", "device", "kind"), [(0, "auto", "cpu"), (1, "auto", "cuda"), (2, "cuda:1", "cuda")])
def test_the_kind_of_device_is_that_of_the_jobs(gpus, device, kind):
    assert Slurm(gpus_per_node=gpus).kind(device) == kind


@pytest.mark.parametrize(("gpus", "device"), [(0, "cuda"), (1, "cpu"), (1, "mps")])
def test_a_device_that_jobs_lack_is_refused(gpus, device):
    with pytest.raises(ConfigError, match=rf"^trainer.device: got {device} .*launcher.gpus_per_node"):
        Slurm(gpus_per_node=gpus).places(device, 1)


def test_a_script_ignores_signals_until_python_has_the_shells_place():
    lines = Slurm(modules=["cuda/12.4"], setup=["ulimit -n 4096"]).script("/runs/a b/slurm/1").splitlines()
    assert lines[0].startswith("#!")
    assert lines[1] == "trap '' USR2 TERM"
    assert lines[2:4] == ["module load cuda/12.4", "ulimit -n 4096"]
    assert lines[4] == f"exec {sys.executable} -m dlexp.launcher.job '/runs/a b/slurm/1'"


def test_options_left_out_are_left_to_the_cluster():
    options = Slurm().options(3)
    assert "--cpus-per-task=3" in options
    assert not any(option.startswith(("--partition", "--account", "--mem", "--gpus")) for option in options)
    assert "--requeue" in options
