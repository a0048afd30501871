"""Processes that act together: by themselves nothing changes; among many see tests/job/train/test_devices.py."""

import pytest

from dlexp.error import ConfigError
from dlexp.launcher.devices.world import SINGLE, Joined, join


def test_a_process_by_itself_acts_and_places_as_it_is(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    join.cache_clear()
    assert join() is SINGLE
    config = {"trainer": {"device": "auto"}}
    assert SINGLE.together(lambda: 3) == 3
    assert SINGLE.share("x") == "x"
    assert SINGLE.place(config) is config
    SINGLE.require_same({"configuration": "a"})
    with pytest.raises(ConfigError, match="mine"):
        SINGLE.together(_refuse)


def _refuse():
    raise ConfigError("mine")


class Alike(Joined):
    """One of four processes on a machine with CUDA devices, without the others."""

    def __init__(self, local_rank, told=(), rank=0):
        self.rank, self.size, self.local_size = rank, 4, 4
        self.local_rank, self._has_cuda, self._told = local_rank, True, list(told)

    def _all(self, value):
        return self._told


@pytest.mark.parametrize(("device", "got"), [("auto", "cuda:1"), ("cuda", "cuda:1"), ("cpu", "cpu")])
def test_each_process_has_a_device_of_its_own(monkeypatch, device, got):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    config = {"trainer": {"device": device, "epochs": 3}}
    assert Alike(1).place(config) == {"trainer": {"device": got, "epochs": 3}}
    assert config["trainer"]["device"] == device


def test_devices_that_cannot_be(monkeypatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    with pytest.raises(ConfigError, match="devices: got 4 processes on a machine with 2 CUDA devices; start fewer"):
        Alike(2).place({"trainer": {"device": "auto"}})
    with pytest.raises(ConfigError, match=r"trainer\.device: got cuda:1; over many devices each process has its"):
        Alike(0).place({"trainer": {"device": "cuda:1"}})


def test_the_first_process_tells_what_failed_in_another():
    told = [None, None, ("data", 2, "x.csv: not there"), None]
    with pytest.raises(Exception, match=r"process 2 of 4: x\.csv: not there") as failed:
        Alike(0, told).together(lambda: 1)
    assert (failed.value.kind, failed.value.exit_code) == ("data", 2)  # pyright: ignore[reportAttributeAccessIssue]: those of a DlexpError
    with pytest.raises(SystemExit) as ended:
        Alike(0, told, rank=3).together(lambda: 1)
    assert ended.value.code == 2


def test_processes_at_different_work_are_refused():
    told = [{"set of data": "a"}, {"set of data": "a"}, {"set of data": "b"}, {"set of data": "a"}]
    with pytest.raises(ConfigError, match="process 2 of 4: got another set of data than process 0; start all"):
        Alike(0, told).require_same({})
    with pytest.raises(SystemExit):
        Alike(0, told, rank=1).require_same({})
    Alike(0, told[:2]).require_same({})
