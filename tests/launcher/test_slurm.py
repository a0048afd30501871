"""What `launcher=slurm` asks of Slurm, and refuses before anything is made."""

import json
import os
import sys

import pytest

from dlexp.error import ConfigError
from dlexp.launcher.slurm import Slurm
from tests.command import run
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


def test_a_sweep_as_jobs_of_a_real_slurm_is_the_sweep_at_home(slurm, tmp_path):
    search = ["tracking=none", "data.limit=100", "model.widths=[8]", "trainer.epochs=1", "trainer.fuse=off", "seed=0,1"]
    away = ["launcher=slurm", "launcher.array_parallelism=2", "launcher.mem_gb=1"]
    assert run(tmp_path, "doctor", "launcher=slurm", "launcher.partition=main").returncode == 0
    there = run(tmp_path, "sweep", *search, "runs_dir=there", *away, "--json")
    here = run(tmp_path, "sweep", *search, "runs_dir=here", "launcher.workers=1", "--json")
    assert (there.returncode, here.returncode) == (0, 0), there.stderr
    tables = [json.loads(done.stdout)["trials"] for done in (there, here)]
    numbers = [[trial | {"run_dir": None, "seconds": None} for trial in trials] for trials in tables]
    assert numbers[0] == numbers[1]
    weights = [
        [file.read_bytes() for file in sorted((tmp_path / place).rglob("best/weights.safetensors"))]
        for place in ("there", "here")
    ]
    assert weights[0] == weights[1]
    assert len(weights[0]) == 2
