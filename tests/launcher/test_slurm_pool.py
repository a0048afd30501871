"""The contract of pools, held by jobs of a Slurm that is played; `test_anywhere` has a real one."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

from dlexp.error import ConfigError
from dlexp.launcher.launcher import Crew
from dlexp.launcher.pool import Detached, Lost
from dlexp.launcher.slurm import Slurm
from dlexp.launcher.task_folder import Progress
from tests.launcher import fake_slurm
from tests.launcher.task import never, taking


@pytest.fixture
def queue(tmp_path, monkeypatch):
    place = tmp_path / "queue"
    monkeypatch.setenv("PATH", f"{fake_slurm.install(place)}:{os.environ['PATH']}")
    return place


@pytest.fixture
def pools(queue, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    import pool_work  # pyright: ignore[reportMissingImports]

    from dlexp.launcher import slurm_pool

    for name in ("POLL_SECONDS", "QUEUE_SECONDS"):
        monkeypatch.setattr(slurm_pool, name, 0.1)
    (tmp_path / "sweep").mkdir()
    made = []

    def make(**options) -> slurm_pool.SlurmPool:
        crew = Crew(pool_work.make, [{}], [], tmp_path / "sweep", rest=pool_work.rest)
        made.append(slurm_pool.SlurmPool(crew, Slurm(**options), 1))
        return made[-1]

    yield make
    for pool in made:
        pool.close()


def running(queue, task_index=0):
    """Return the process of a job, not of a probe, that has begun."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for path in queue.glob(f"*_{task_index}.job"):
            job = json.loads(path.read_text())
            if job["state"] == "RUNNING" and job["name"].split("-")[-2] != "1":
                return job["pid"]
        time.sleep(0.05)
    raise AssertionError("no job began")


def test_a_round_is_an_array_behind_one_probe_and_all_events_arrive(pools, queue):
    pool = pools(partition="main", mem_gb=1.5, timeout_min=2)
    for numbers in ([3, 1], [5]):
        told = list(pool.run(taking(("square", number) for number in numbers), never))
        assert sorted(told) == sorted([("begun", n) for n in numbers] + [("square", n * n) for n in numbers])
    options = [json.loads((queue / f"{number}.options").read_text()) for number in (1, 2, 3)]
    assert [each["array"] for each in options] == ["0-0%8", "0-1%8", "0-0%8"]
    assert [each.get("dependency") for each in options] == [None, "afterok:1", None]
    expected = {name: options[0][name] for name in ("partition", "mem", "time", "signal", "cpus-per-task")}
    assert expected == {"partition": "main", "mem": "1536M", "time": "2", "signal": "B:USR2@30", "cpus-per-task": "1"}


def test_a_job_that_is_told_to_leave_is_queued_again_and_one_that_dies_is_lost(pools, queue):
    told, lost = [], []
    for event in pools().run(taking([("until_stopped",), ("die", 9)]), never):
        (lost if isinstance(event, Lost) else told).append(event)
        if event == "busy":
            os.kill(running(queue), signal.SIGUSR2)
    assert sorted(told) == ["busy", "dying", "stopped"], "what is told already is not done again"
    assert [(loss.task, loss.cause) for loss in lost] == [(("die", 9), "crash")]


def test_the_wish_to_stop_reaches_the_jobs(pools):
    wishes, told = [], []
    for event in pools().run(taking([("until_stopped",)]), lambda: bool(wishes)):
        told.append(event)
        wishes.append(True)
    assert told == ["busy", "stopped"]


def test_when_no_task_may_begin_any_more_those_that_wait_are_taken_back_and_the_others_go_on(pools, queue, tmp_path):
    end, looks, told = tmp_path / "end", [], []

    def may_begin():
        is_closed = "busy" in told
        looks.append(is_closed)
        if looks.count(True) == 3:
            end.touch()
        return not is_closed

    pool = pools(array_parallelism=1)
    for event in pool.run(taking([("until", end), ("square", 1), ("square", 2)]), never, may_begin):
        told.append(event)
    assert told == ["busy", "done"], "nothing was lost"
    states = [json.loads((queue / f"2_{index}.job").read_text())["state"] for index in range(3)]
    assert states == ["COMPLETED", "CANCELLED", "CANCELLED"]


def test_jobs_of_a_driver_that_went_are_taken_on(pools, queue, tmp_path):
    first = pools()
    first.detaches = True
    with pytest.raises(Detached):
        list(first.run(taking([("square", 2), ("square", 3), ("until_stopped",)]), never))
    assert Progress.of(tmp_path / "sweep").num_open > 0
    running(queue, 2)
    second, wishes, told = pools(), [], []
    second.adopt(lambda task: None if task[1:] == (2,) else task)  # a probe is offered to nobody
    for event in second.run(taking([]), lambda: bool(wishes)):
        told.append(event)
        wishes.append(event == "busy")
    assert sorted(map(str, told)) == sorted(["('begun', 3)", "('square', 9)", "busy", "stopped"])
    third = pools()
    third.adopt(lambda task: task)
    assert list(third.run(taking([]), never)) == [("begun", 2), ("square", 4)], "what nobody took on waits"


def test_a_node_without_the_runs_folder_is_told_before_any_task_begins(pools, monkeypatch, tmp_path):
    monkeypatch.setattr("dlexp.launcher.site.NONCE", "other")  # of this process: jobs look for the file by its name
    with pytest.raises(ConfigError, match=r"^launcher=slurm: node \S+ does not see .*; runs_dir has to lie where all"):
        list(pools().run(taking([("square", 1)]), never))
    assert not list((tmp_path / "sweep/slurm/2").glob("*/events"))


def test_a_job_that_cannot_start_is_told_by_its_last_words(pools):
    pool = pools(setup=["echo no such module >&2; exit 1"])
    with pytest.raises(ConfigError, match=r"the probe job on here could not start \(FAILED\): no such module"):
        list(pool.run(taking([("square", 1)]), never))
