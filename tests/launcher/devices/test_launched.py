"""What the environment of a process says of the others."""

import pytest

from dlexp.error import ConfigError
from dlexp.launcher.devices.launched import is_launched, number, rank, require_single


def test_a_process_by_itself(monkeypatch):
    for name in ("WORLD_SIZE", "RANK"):
        monkeypatch.delenv(name, raising=False)
    assert (is_launched(), rank()) == (False, 0)
    require_single("sweep")


def test_the_third_of_four(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.setenv("RANK", "2")
    assert (is_launched(), rank()) == (True, 2)
    require_single("train")
    with pytest.raises(SystemExit):
        require_single("cv")
    monkeypatch.setenv("RANK", "0")
    with pytest.raises(ConfigError, match="torchrun: got 4 processes for `dlexp cv`; over many devices goes"):
        require_single("cv")


def test_a_size_without_a_rank_is_not_torchrun_s(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.delenv("RANK", raising=False)
    assert not is_launched()


def test_what_is_no_number_is_the_default(monkeypatch):
    monkeypatch.setenv("RANK", "first")
    assert number("RANK", 7) == 7
