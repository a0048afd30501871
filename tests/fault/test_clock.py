"""A hang is told from a machine that is busy."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fault.clock import Clock, queued_by_thread
from tests.fault.promise import NotPossible


class Machine:
    """A clock and a queue that a test moves."""

    def __init__(self) -> None:
        self.now, self.queued = 0.0, {"1": 0.0, "2": 0.0}

    def pass_by(self, seconds: int, share: float, thread: str = "1") -> None:
        """Let time pass, a share of which a thread is in the queue, and look at the clock each second."""
        for _ in range(seconds):
            self.now += 1.0
            self.queued[thread] += share
            self.clock.seconds()

    def watch(self) -> Clock:
        self.clock = Clock(1, lambda _: dict(self.queued), lambda: self.now)
        return self.clock


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_a_process_that_sleeps_or_computes_for_ever_reaches_its_limit(machine):
    clock = machine.watch()
    machine.pass_by(119, 0.0)
    assert not clock.is_past(120)
    machine.pass_by(2, 0.0)
    assert clock.is_past(120)


def test_time_in_the_queue_does_not_count(machine):
    clock = machine.watch()
    machine.pass_by(1000, 0.95)
    assert clock.seconds() == pytest.approx(50)
    assert not clock.is_past(120)


def test_threads_that_are_in_the_queue_together_count_once(machine):
    clock = machine.watch()
    for _ in range(100):
        machine.pass_by(1, 0.5)
        machine.queued["2"] += 0.4
    assert clock.seconds() == pytest.approx(50)


def test_a_loop_without_end_is_a_hang_on_a_busy_machine_too(machine):
    clock = machine.watch()
    machine.pass_by(1300, 0.9)
    assert clock.is_past(120)


def test_an_attempt_that_the_machine_kept_from_running_is_neither_held_nor_failed(machine):
    clock = machine.watch()
    machine.pass_by(2401, 0.99)
    with pytest.raises(NotPossible, match="the machine was busy: 24 s of computing and waiting in 2401 s"):
        clock.is_past(120)


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="Linux says how long a thread was queued")
def test_the_system_tells_of_every_descendant():
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1, flush=True); input()'])"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()  # the grandchild runs
        members = {Path(path).parts[2] for path in queued_by_thread(process.pid)}
        process.communicate(b"\n")
    assert str(process.pid) in members
    assert len(members) >= 2
    assert queued_by_thread(os.getpid())
