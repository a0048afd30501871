"""The contract of pools, held by actors of a real Ray cluster of two nodes on this machine."""

import os
import socket
from pathlib import Path

import pytest

from dlexp.error import EnvironmentFault
from dlexp.launcher.launcher import Crew
from dlexp.launcher.pool import Lost
from tests.launcher.cluster import two_nodes
from tests.launcher.task import never, taking

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # Ray's own


@pytest.fixture(scope="module")
def cluster():
    with two_nodes() as made:
        yield made


@pytest.fixture
def pools(cluster, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    import pool_work  # pyright: ignore[reportMissingImports]

    from dlexp.launcher.ray_pool import RayPool, connect

    made = []

    def make(most: int | None = None, **request: float) -> RayPool:
        crew = Crew(pool_work.make, [{}], [], tmp_path)
        connect(cluster[0].address)
        made.append(RayPool(crew, {"num_cpus": 1, "num_gpus": 0, **request}, most))
        return made[-1]

    yield make
    for pool in made:
        pool.close()


def test_events_of_all_tasks_arrive_and_a_pool_serves_again(pools):
    pool = pools()
    for numbers in ([3, 1, 2], [], [5]):
        told = list(pool.run(taking(("square", number) for number in numbers), never))
        assert sorted(told) == sorted([("begun", n) for n in numbers] + [("square", n * n) for n in numbers])


def test_tasks_run_at_the_same_time_as_many_as_there_is_room_for(pools, tmp_path):
    pool = pools()
    assert len(pool.places) == 2
    pids = list(pool.run(taking([("meet", tmp_path, "a", "b"), ("meet", tmp_path, "b", "a")]), never))
    assert len({*pids, os.getpid()}) == 3
    pool.close()
    assert len(pools(most=1).places) == 1


def test_the_wish_to_stop_is_passed_on_and_nothing_more_is_begun(pools):
    wishes, told = [], []
    for event in pools().run(taking([("until_stopped",)] * 3), lambda: bool(wishes)):
        told.append(event)
        if told == ["busy"] * 2:
            wishes.append(True)
    assert told == ["busy", "busy", "stopped", "stopped"]


def test_a_process_that_dies_is_told_with_its_task_and_replaced(pools):
    task = ("die", 9)
    told = [event for event in pools(most=1).run(taking([task, ("square", 4)]), never) if event != "dying"]
    assert isinstance(told[0], Lost)
    assert (told[0].task, told[0].cause) == (task, "crash")
    assert told[1:] == [("begun", 4), ("square", 16)]


def test_a_device_that_fails_is_told_as_that(pools, monkeypatch):
    monkeypatch.setattr("dlexp.launcher.site.PASSED_ON", ("BROKEN",))
    monkeypatch.setenv("BROKEN", "1")
    (lost,) = pools(most=1).run(taking([("on_device", 1)]), never)
    assert lost.cause == "device"
    assert lost.why.endswith("illegal memory access was encountered")


def test_what_no_node_has_is_refused_in_a_line(pools):
    with pytest.raises(EnvironmentFault, match=r"no node of the cluster has 1 CPU and 1 GPU for a worker"):
        pools(num_gpus=1)


def test_a_node_without_the_runs_folder_is_named(pools, tmp_path):
    pool = pools()
    (tmp_path / "nonce").write_text("of another machine's disk")
    with pytest.raises(EnvironmentFault, match=f"node {socket.gethostname()} sees another folder as {tmp_path}"):
        list(pool.run(taking([("square", 1)]), never))


def test_a_node_that_goes_is_told_as_a_place_and_the_other_goes_on(pools, cluster):
    made, nodes = cluster
    told, lost = [], []
    for event in pools().run(taking([("until_stopped",)] * 2), lambda: bool(lost)):
        (lost if isinstance(event, Lost) else told).append(event)
        if told == ["busy"] * 2 and len(nodes) == 2:
            made.remove_node(nodes.pop(), allow_graceful=False)
    assert [loss.cause for loss in lost] == ["place"]
    assert told == ["busy", "busy", "stopped"]
