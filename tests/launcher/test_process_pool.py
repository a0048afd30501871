"""Worker processes: what they tell, how they stop, die and are replaced, and that none outlives its parent."""

import os
import signal
import subprocess
import sys
import time
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import psutil
import pytest

from dlexp.launcher.pool import Lost
from dlexp.launcher.process_pool import ProcessPool
from dlexp.run.lock import Lock
from tests.launcher.task import never, taking


@pytest.fixture(scope="module", autouse=True)
def _own_server():
    """A server without torch, which starts at once; others want one with it."""
    server: Any = forkserver._forkserver  # its `_stop` is not in the stubs
    server._stop()
    yield
    server._stop()


@pytest.fixture
def work(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    import pool_work  # pyright: ignore[reportMissingImports]

    return pool_work


@pytest.fixture
def pools(work):
    made = []

    def make(*environments: dict[str, str], descriptor: int | None = None) -> ProcessPool:
        made.append(ProcessPool(work.make, list(environments), [], descriptor))
        return made[-1]

    yield make
    for pool in made:
        pool.close()


def test_events_of_all_tasks_arrive_and_a_pool_serves_again(pools):
    pool = pools({}, {})
    for numbers in ([3, 1, 2], [], [5]):
        told = list(pool.run(taking(("square", number) for number in numbers), never))
        assert sorted(told) == sorted([("begun", n) for n in numbers] + [("square", n * n) for n in numbers])


def test_tasks_run_at_the_same_time_in_processes_of_their_own(pools, tmp_path):
    pool = pools({}, {})
    pids = list(pool.run(taking([("meet", tmp_path, "a", "b"), ("meet", tmp_path, "b", "a")]), never))
    assert len({*pids, os.getpid()}) == 3


def test_no_more_processes_than_tasks(pools):
    pool = pools({}, {}, {})
    list(pool.run(taking([("square", 1)]), never))
    assert len(pool._workers) == 1


def test_the_wish_to_stop_is_passed_on_and_nothing_more_is_begun(pools):
    wishes = []
    told = []
    for event in pools({}, {}).run(taking([("until_stopped",)] * 3), lambda: bool(wishes)):
        told.append(event)
        if told == ["busy"] * 2:
            wishes.append(True)
    assert told == ["busy", "busy", "stopped", "stopped"]


@pytest.mark.parametrize(
    ("task", "why"), [(("die", signal.SIGKILL), "signal 9 (SIGKILL)"), (("break_down",), "exit code 7")]
)
def test_a_process_that_dies_is_told_with_its_task_and_replaced(pools, task, why):
    told = list(pools({}).run(taking([task, ("square", 4)]), never))
    assert told[0] in ("dying", "breaking")
    assert isinstance(told[1], Lost)
    assert told[1].task == task
    assert why in told[1].why
    assert told[2:] == [("begun", 4), ("square", 16)]


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_signals_to_the_whole_group_are_left_to_the_parent(pools, signum):
    assert list(pools({}).run(taking([("die", signum)]), never)) == ["dying", "alive"]


def test_this_process_still_hears_signals(pools):
    pools({})
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) & {signal.SIGINT, signal.SIGTERM} == set()


def test_what_a_full_device_has_no_memory_for_is_done_on_another(pools):
    told = list(pools({"ROOM": "1"}, {"ROOM": "9"}).run(taking(("in_memory", n, 5) for n in range(6)), never))
    assert sorted(told) == [(n, "9") for n in range(6)]


def test_what_no_device_has_the_memory_for_is_told_once_and_the_others_go_on(pools):
    tasks = [("in_memory", 0, 1), ("in_memory", 1, 10), ("in_memory", 2, 1)]
    told = list(pools({"ROOM": "8"}, {"ROOM": "9"}, {"ROOM": "7"}).run(taking(tasks), never))
    (lost,) = [each for each in told if isinstance(each, Lost)]
    assert (lost.task, lost.why, lost.cause) == (("in_memory", 1, 10), "out of memory", "memory")
    assert sorted(number for number, _ in [each for each in told if each is not lost]) == [0, 2]


def test_a_full_device_has_no_more_than_two_tasks_set_aside(pools, tmp_path):
    """A search that is asked for more would draw settings before it knows of any result."""
    drawn, seen = [], []

    def take():
        drawn.append(len(drawn))
        return ("meet", tmp_path, "here", "go") if drawn == [0] else task(drawn[-1])

    def task(number: int) -> tuple | None:
        return ("in_memory", number, 5) if number < 6 else None

    def look() -> bool:
        if len(pool._aside) == 2:
            seen.append(len(drawn))
        if len(seen) == 6:
            (tmp_path / "go").touch()
        return False

    pool = pools({"ROOM": "9"}, {"ROOM": "1"})
    told = list(pool.run(take, look))
    assert seen[:6] == [3] * 6
    assert sorted(each for each in told if isinstance(each, tuple)) == [(n, "9") for n in range(1, 6)]


def test_each_process_has_its_environment(pools, tmp_path):
    pool = pools({"CUDA_VISIBLE_DEVICES": "4"}, {"CUDA_VISIBLE_DEVICES": "GPU-8e6"})
    list(pool.run(taking([("meet", tmp_path, "a", "b"), ("meet", tmp_path, "b", "a")]), never))
    told = list(pool.run(taking([("environment", "CUDA_VISIBLE_DEVICES")]), never))
    assert told == ["4"]
    assert os.environ.get("CUDA_VISIBLE_DEVICES") is None


def test_the_program_is_not_imported_again(pools):
    assert list(pools({}).run(taking([("knows_program",)]), never)) == [False]


def test_a_folder_called_as_the_package_in_the_working_directory_is_left_alone(work, tmp_path, monkeypatch):
    (tmp_path / "dlexp" / "launcher").mkdir(parents=True)
    (tmp_path / "dlexp" / "__init__.py").touch()
    monkeypatch.chdir(tmp_path)
    server: Any = forkserver._forkserver
    server._stop()  # the next one starts here
    pool = ProcessPool(work.make, [{}], ["dlexp.launcher.worker"])
    try:
        assert list(pool.run(taking([("square", 3)]), never)) == [("begun", 3), ("square", 9)]
    finally:
        pool.close()
        server._stop()
    assert "PYTHONSAFEPATH" not in os.environ


def test_close_ends_the_busy_at_once_and_they_hold_a_lock_until_then(pools, tmp_path):
    lock = Lock(tmp_path / "lock")
    lock.acquire()
    pool = pools({}, descriptor=lock.descriptor)
    assert next(pool.run(taking([("until_stopped",)]), never)) == "busy"
    (worker,) = pool._workers.values()
    lock.release()
    assert Lock(tmp_path / "lock").is_held()
    started = time.monotonic()
    pool.close()
    assert time.monotonic() - started < 2
    assert not psutil.pid_exists(worker.process.pid)
    assert not Lock(tmp_path / "lock").is_held()


def test_workers_die_with_a_parent_that_is_killed(tmp_path):
    script = Path(__file__).with_name("pool_work.py")
    parent = subprocess.Popen([sys.executable, str(script), str(tmp_path)])
    end = time.monotonic() + 20
    while len(list(tmp_path.iterdir())) < 2 and time.monotonic() < end:
        time.sleep(0.01)
    pids = [int(path.name) for path in tmp_path.iterdir()]
    assert len(pids) == 2
    parent.kill()
    parent.wait()
    end = time.monotonic() + 5
    while any(map(psutil.pid_exists, pids)) and time.monotonic() < end:
        time.sleep(0.01)
    assert not any(map(psutil.pid_exists, pids))


def test_a_place_whose_device_failed_twice_gets_nothing_more(pools):
    pool = pools({"BROKEN": "1"}, {})
    tasks = [("on_device", number) for number in range(6)]
    told, losses = [], []
    for event in pool.run(lambda: tasks.pop(0) if tasks else None, never):
        if isinstance(event, Lost):
            losses.append(event)
            tasks.append(event.task)
        else:
            told.append(event)
    assert sorted(told) == list(range(6))
    assert pool.places in ([1], [1, 0])  # the sound one may have done all before the other failed again
    assert 1 <= len(losses) <= 2
    assert all(loss.cause == "device" and loss.why.endswith("illegal memory access was encountered") for loss in losses)


def test_nothing_is_dealt_where_every_device_has_failed_twice(pools):
    pool = pools({"BROKEN": "1"})
    tasks = [("on_device", number) for number in range(6)]
    losses = [event for event in pool.run(lambda: tasks.pop() if tasks else None, never) if isinstance(event, Lost)]
    assert len(losses) == 2
    assert pool.places == []
    assert len(tasks) == 4
