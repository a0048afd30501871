import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from dlexp.error import RunError
from dlexp.run.lock import ATTEMPT, Lock, begin_attempt, last_attempt

HOLD = """
import sys, time
from pathlib import Path
from dlexp.run.lock import Lock
Lock(Path(sys.argv[1])).acquire()
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path / "lock")], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_second_process_is_told_who_has_it(tmp_path, holder):
    lock = Lock(tmp_path / "lock")
    assert lock.is_held()
    with pytest.raises(RunError, match=f"in use by process {holder.pid} on {socket.gethostname()}"):
        lock.acquire()


def test_a_dead_owners_lock_is_taken_over(tmp_path, holder):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    lock = Lock(tmp_path / "lock")
    assert not lock.is_held()
    lock.acquire()
    assert lock.owner() == f"process {os.getpid()} on {socket.gethostname()}"
    lock.release()


def test_taking_it_twice_is_taking_it_once(tmp_path):
    lock = Lock(tmp_path / "lock")
    lock.acquire()
    lock.acquire()
    with pytest.raises(RunError):
        Lock(tmp_path / "lock").acquire(0.0)
    lock.release()
    assert not lock.is_held()
    lock.release()
    Lock(tmp_path / "lock").acquire(0.0)


def test_a_missing_lock_is_not_held(tmp_path):
    assert not Lock(tmp_path / "lock").is_held()
    assert Lock(tmp_path / "lock").owner() == "another process"


def test_a_forked_worker_does_not_keep_its_parents_lock(tmp_path):
    script = """
import os, sys, time
from pathlib import Path
from dlexp.run.lock import Lock
lock = Lock(Path(sys.argv[1]))
lock.acquire()
child = os.fork()
if child == 0:
    time.sleep(60)
print(child, flush=True)
os._exit(0)
"""
    command = [sys.executable, "-c", script, str(tmp_path / "lock")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    child = int(process.stdout.readline())
    process.wait()
    process.stdout.close()
    try:
        os.kill(child, 0)
        # the child lets go as it begins, which a busy machine may put off
        deadline = time.monotonic() + 30
        while (is_held := Lock(tmp_path / "lock").is_held()) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not is_held
    finally:
        os.kill(child, signal.SIGKILL)


def test_the_workers_of_a_dead_owner_are_waited_for(tmp_path, caplog):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    shared = Lock(tmp_path / "lock")
    shared.acquire()
    (tmp_path / "lock").write_text(json.dumps({"pid": dead.pid, "host": socket.gethostname()}))
    threading.Timer(0.8, shared.release).start()
    late = Lock(tmp_path / "lock")
    late.acquire()
    assert late.owner() == f"process {os.getpid()} on {socket.gethostname()}"
    assert f"waiting for the last workers of process {dead.pid}" in caplog.text
    late.release()


def test_a_lock_that_is_a_link_is_not_written_through(tmp_path):
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "lock").symlink_to(tmp_path / "precious")
    lock = Lock(tmp_path / "lock")
    lock.acquire()
    assert lock.is_held()
    assert (tmp_path / "precious").read_text() == "precious"
    lock.release()


def test_attempts_are_counted_from_one_and_damage_begins_anew(tmp_path):
    assert last_attempt(tmp_path) == 0
    assert [begin_attempt(tmp_path) for _ in range(3)] == [1, 2, 3]
    assert last_attempt(tmp_path) == 3
    (tmp_path / ATTEMPT).write_bytes(b"\xff")
    assert last_attempt(tmp_path) == 0
