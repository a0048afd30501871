"""Processes started and ended as torchrun does; each test's commands import no torch, so that they start at once."""

import os
import signal
from types import SimpleNamespace

import pytest

from dlexp.error import ConfigError, EnvironmentFault
from dlexp.launcher.devices import torchrun


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
