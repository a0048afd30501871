"""Tracking as training sees it: a process that is waited for, or not at all, and one line when something is left."""

import subprocess
import sys
import time

import pytest

from dlexp.run.folder import RunFolder
from dlexp.tracking import mlflow
from dlexp.tracking.mlflow import NONE, Outbox
from dlexp.tracking.sent import Sent


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


def test_the_process_is_given_the_folder_and_its_words_are_kept(folder, monkeypatch):
    started = {}
    monkeypatch.setattr(subprocess, "Popen", lambda command, **how: started.update(how, command=command))
    mlflow.start(folder, {"_target_": "dlexp.tracking.mlflow.MLflow"})
    assert started["command"][1:] == ["-P", "-m", "dlexp.tracking.outbox", str(folder.path)]
    assert started["start_new_session"], "Ctrl-C is for the training process"
    assert (folder.path / "outbox.log").exists()


def test_what_is_sent_needs_no_word(folder):
    assert Outbox(folder, process("pass")).finish() is None


@pytest.mark.parametrize(
    ("code", "problem", "words"),
    [
        ("raise SystemExit(1)", "no answer from http://here", "MLflow: no answer from http://here; "),
        ("raise SystemExit(1)", None, "MLflow: sending failed, see "),
    ],
)
def test_what_is_left_is_told_with_the_cure(folder, code, problem, words):
    Sent(problem=problem).write(folder)
    line = Outbox(folder, process(code)).finish()
    assert line is not None
    assert line.startswith(words)
    assert line.endswith(f"send it with `dlexp sync {folder.path}`")  # its folder is not the default one


@pytest.mark.parametrize("how", [{"timeout": 0.2}, {"should_stop": lambda: True}], ids=["timeout", "ctrl-c"])
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
