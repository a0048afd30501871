"""Where training may take place on this machine."""

import os

import pytest

from dlexp.error import ConfigError
from dlexp.gpu.look import Card
from dlexp.launcher.local import SHARE, VISIBLE, Local, num_cores


@pytest.fixture
def gpus(monkeypatch):
    def pretend(count: int, visible: str | None = None) -> None:
        monkeypatch.setattr(
            "dlexp.gpu.look.seen_by_child", lambda _visible: [Card("a card", 2**30, (9, 0), "9")] * count
        )
        monkeypatch.delenv(VISIBLE, raising=False)
        if visible is not None:
            monkeypatch.setenv(VISIBLE, visible)

    return pretend


def test_a_process_for_each_core_that_threads_leave(gpus, monkeypatch):
    gpus(0)
    monkeypatch.setattr("dlexp.launcher.local.num_cores", lambda: 6)
    assert [len(Local().places("cpu", threads)) for threads in (1, 2, 4, 6, 12)] == [6, 3, 1, 1, 1]
    assert Local().places("auto", 3) == [{}, {}]
    assert Local(workers=3).places("cpu", 6) == [{}] * 3
    assert Local(workers=1).places("cpu", 1) == [{}]


def test_a_process_for_each_gpu_which_sees_only_its_own(gpus):
    def shown(places: list[dict[str, str]]) -> list[str]:
        return [place[VISIBLE] for place in places]

    gpus(2)
    assert shown(Local().places("auto", 1)) == shown(Local().places("cuda", 1)) == ["0", "1"]
    assert shown(Local(workers=3).places("auto", 1)) == ["0", "1", "0"]
    gpus(2, "3, GPU-8e6")
    assert shown(Local().places("auto", 1)) == ["3", "GPU-8e6"]
    gpus(2, "MIG-5a4c,MIG-GPU-8e6/1/0")
    assert shown(Local().places("auto", 1)) == ["MIG-5a4c", "MIG-GPU-8e6/1/0"]
    gpus(1)
    assert len(Local().places("auto", 1)) == 1


def test_processes_that_have_the_same_gpu_share_its_memory(gpus):
    gpus(2)
    assert {place[SHARE] for place in Local().places("auto", 1)} == {"1.000"}
    assert {place[SHARE] for place in Local(workers=1).places("auto", 1)} == {"1.000"}
    assert {place[SHARE] for place in Local(workers=4).places("auto", 1)} == {"0.500"}
    assert {place[SHARE] for place in Local(workers=2).places("cuda:1", 1)} == {"0.500"}


def test_a_gpu_by_its_number_is_one_place():
    assert Local().places("cuda:1", 1) == [{SHARE: "1.000"}]


def test_cores_are_those_that_this_process_may_use():
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("no affinity on this system")
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        assert num_cores() == 1
    finally:
        os.sched_setaffinity(0, before)


def test_gpus_are_chosen_by_number_or_name_and_shared(gpus):
    gpus(3, "GPU-8e6, MIG-12, 7")
    chosen = Local(gpus=["2", "GPU-8e6"], per_gpu=2).places("auto", 1)
    assert [place[VISIBLE] for place in chosen] == ["7", "GPU-8e6", "7", "GPU-8e6"]
    assert {place[SHARE] for place in chosen} == {"0.500"}
    with pytest.raises(
        ConfigError, match=r"^launcher.gpus: got 3; choose of what is visible: 0, 1, 2, GPU-8e6, MIG-12, 7"
    ):
        Local(gpus=["3"]).places("cuda", 1)


def test_gpus_that_are_not_there_are_refused_before_anything_is_made(gpus):
    gpus(2)
    Local(gpus=["1"]).require()
    with pytest.raises(ConfigError, match=r"^launcher.gpus: got 2; choose of what is visible: 0, 1$"):
        Local(gpus=["2"]).require()
    gpus(0)
    Local().require()
    with pytest.raises(ConfigError, match=r"^launcher.gpus: got 0; choose of what is visible: none$"):
        Local(gpus=["0"]).require()
