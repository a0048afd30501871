"""Processes started and ended as torchrun does; commands of quick tests import no torch, so that they start at once."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from dlexp.error import ConfigError, EnvironmentFault
from dlexp.launcher.devices import torchrun
from tests.job.train.pair import SYNCED, assert_same_numbers, history, run_in, small, told


def test_the_exit_code_of_a_process_is_the_command_s(monkeypatch, capfd):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    before = {signum: signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    assert torchrun.start(2, ["sweep", "seed=1,2"], "cpu") == 2
    assert "torchrun: got 2 processes for `dlexp sweep`" in capfd.readouterr().err
    assert {signum: signal.getsignal(signum) for signum in before} == before


def test_a_process_that_a_signal_ended_is_named():
    with pytest.raises(EnvironmentFault, match="process 1 of 3 was ended by SIGKILL; the last checkpoint is intact"):
        torchrun._code(1, SimpleNamespace(exitcode=-signal.SIGKILL), 3)
    assert torchrun._code(0, SimpleNamespace(exitcode=3), 3) == 3


def test_devices_that_are_not_there(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    cure = "choose fewer, or trainer.device=cpu"
    for device in ("auto", "cuda"):
        with pytest.raises(ConfigError, match=f"launcher.devices: got 4; torch sees 2 CUDA devices: {cure}"):
            torchrun.start(4, [], device)
    torchrun._require_devices(4, "cpu")
    torchrun._require_devices(2, "auto")
    assert "RANK" not in os.environ


def started(folder: Path, *launcher: str) -> subprocess.Popen[str]:
    """Start a command of two processes whose training has twelve epochs; return it when three are over."""
    overrides = small(*SYNCED, "trainer.epochs=12")
    command_line = [sys.executable, "-m", *launcher, *overrides]
    process = subprocess.Popen(command_line, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while process.poll() is None:
        if any(len(path.read_text().splitlines()) >= 3 for path in folder.glob("runs/*/*/metrics.jsonl")):
            return process
        time.sleep(0.02)
    raise AssertionError(process.communicate())


def kill(process: subprocess.Popen[str], rank: int) -> None:
    children = psutil.Process(process.pid).children(recursive=True)
    (member,) = [child for child in children if child.environ().get("RANK") == str(rank)]
    os.kill(member.pid, signal.SIGKILL)


TWELVE = small(*SYNCED, "trainer.epochs=12")


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 1])
def test_a_killed_process_ends_all_and_the_run_goes_on(tmp_path, rank):
    process = started(tmp_path, "dlexp", "train", "launcher.devices=2")
    kill(process, rank)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"launcher.devices: process {rank} of 2 was ended by SIGKILL; the last checkpoint is intact" in err
    assert told(tmp_path, "train", "--resume", "last", "--quiet")[0] == 0
    single = json.loads(told(tmp_path / "single", "train", *TWELVE, "--json")[1])
    assert_same_numbers(history(Path(single["run_dir"])), history(run_in(tmp_path / "runs").path))


@pytest.mark.slow
def test_torchrun_starts_all_again_and_the_run_goes_on(tmp_path):
    launcher = ("torch.distributed.run", "--nproc-per-node=2", "--max-restarts=1", "-m", "dlexp", "train")
    process = started(tmp_path, *launcher)
    kill(process, 1)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    single = json.loads(told(tmp_path / "single", "train", *TWELVE, "--json")[1])
    assert_same_numbers(history(Path(single["run_dir"])), history(run_in(tmp_path / "runs").path))


@pytest.mark.slow
def test_ctrl_c_ends_all_with_a_checkpoint(tmp_path):
    process = started(tmp_path, "dlexp", "train", "launcher.devices=2")
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "checkpoint written; go on with: dlexp train --resume" in out
    assert "launcher.devices=2\n" in out
