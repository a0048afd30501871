"""Tracking as training sees it: a process that is waited for, or not at all, and one line when something is left."""

import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest

from dlexp.run.folder import RunFolder
from dlexp.tracking import mlflow
from dlexp.tracking.mlflow import NONE, Outbox
from dlexp.tracking.queue import Queue
from dlexp.tracking.sent import Sent

TRACKING = "dlexp.tracking.mlflow.MLflow"


@pytest.fixture
def folder(tmp_path):
    made = RunFolder.create(tmp_path, "x", "y", config={}, overrides=[], manifest={"kind": "train"})
    yield made
    made.unlock()


def process(code: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", code])


def test_without_tracking_nothing_is_started_or_waited_for(folder):
    outbox = mlflow.start(folder, {"_target_": NONE})
    assert outbox.process is None
    assert outbox.finish() is None
    assert not (folder.path / "outbox.log").exists()


SERVER = "http://127.0.0.1:9"


@pytest.mark.parametrize("uri", [SERVER, "sqlite:///${oc.env:PLACE}/mlflow.db"])
def test_a_run_for_a_server_has_a_process_of_its_own(folder, monkeypatch, uri):
    started = {}
    monkeypatch.setattr(subprocess, "Popen", lambda command, **how: started.update(how, command=command))
    mlflow.start(folder, {"_target_": TRACKING, "uri": uri})
    assert started["command"][1:] == ["-P", "-m", "dlexp.tracking.outbox", str(folder.path)]
    assert started["start_new_session"], "Ctrl-C is for the training process"
    assert (folder.path / "outbox.log").exists()


@pytest.mark.parametrize("uri", [None, "sqlite:////elsewhere/mlflow.db"])
def test_runs_for_a_database_share_a_process(folder, monkeypatch, uri):
    started = []
    monkeypatch.setattr(subprocess, "Popen", lambda command, **_how: started.append(command))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    mlflow.start(folder, {"_target_": TRACKING, "uri": uri})
    queue = Queue(folder.runs_dir)
    assert [command[1:] for command in started] == [["-P", "-m", "dlexp.tracking.courier", str(folder.runs_dir)]]
    assert [waiting.path for waiting in queue.waiting()] == [folder.path]
    queue.lock.acquire()  # as the process does
    outbox = mlflow.start(folder, {"_target_": TRACKING, "uri": uri})
    assert len(started) == 1
    started_at = time.monotonic()
    assert outbox.finish(0.1) is None, "it goes on by itself"
    assert time.monotonic() - started_at < 10
    stopped = outbox.finish(60, should_stop=lambda: True)
    assert stopped is not None
    assert "dlexp sync" in stopped, "who stops the wait is told how to send the rest"
    queue.remove(folder)
    assert outbox.finish(60) is None
    queue.lock.release()


def test_a_shared_process_that_died_is_told(folder, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr(mlflow, "_process", lambda *_: process("raise SystemExit(1)"))
    line = mlflow.start(folder, {"_target_": TRACKING}).finish(60)
    assert line is not None
    assert line.startswith(f"MLflow: sending failed, see {Queue(folder.runs_dir).log}; ")


def test_a_database_that_another_process_keeps_to_itself_is_told_before_the_wait_for_it_ends(folder, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    queue = Queue(folder.runs_dir)
    queue.add(folder)
    queue.lock.acquire(0)  # as the process that sends does
    with closing(sqlite3.connect(folder.runs_dir / "mlflow.db")) as other:
        other.execute("create table t (a)")
        outbox = mlflow.start(folder, {"_target_": TRACKING})
        assert outbox.finish(0.01) is None
        other.execute("begin exclusive")
        line = outbox.finish(0.01)
    assert line is not None
    assert "send it with `dlexp sync" in line
    queue.lock.release()


def test_what_is_sent_needs_no_word(folder):
    assert Outbox(folder, process("pass")).finish(60) is None


@pytest.mark.parametrize(
    ("code", "problem", "words"),
    [
        ("raise SystemExit(1)", "no answer from http://here", "MLflow: no answer from http://here; "),
        ("raise SystemExit(1)", None, "MLflow: sending failed, see "),
    ],
)
def test_what_is_left_is_told_with_the_cure(folder, code, problem, words):
    Sent(problem=problem).write(folder)
    line = Outbox(folder, process(code)).finish(60)
    assert line is not None
    assert line.startswith(words)
    assert line.endswith(f"send it with `dlexp sync {folder.path}`")  # its folder is not the default one


@pytest.mark.parametrize(
    "how", [{"timeout": 0.2}, {"timeout": 60.0, "should_stop": lambda: True}], ids=["timeout", "ctrl-c"]
)
def test_the_wait_ends_and_the_process_goes_on(folder, how):
    sending = process("import time; time.sleep(60)")
    started = time.monotonic()
    line = Outbox(folder, sending).finish(**how)
    assert line is not None
    assert line.startswith("MLflow: still being filled in the background; ")
    assert time.monotonic() - started < 10
    assert sending.poll() is None
    sending.kill()
    sending.wait()
