"""`dlexp wait` returns when a run has ended, with its exit code; `tests/job/test_detached.py` waits for jobs."""

import json

import pytest

from dlexp.run.folder import RunFolder
from tests.command import run


def make(folder, kind="train"):
    return RunFolder.create(folder / "runs", "digits", "x", config={}, overrides=[], manifest={"kind": kind})


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("train", "finished", 0),
        ("train", "stopped_early", 0),
        ("train", "diverged", 3),
        ("train", "failed", 1),
        ("train", "interrupted", 130),
        ("sweep", "finished", 0),
        ("cv", "finished", 0),
        ("cv", "failed", 1),
    ],
)
def test_of_what_has_ended_the_exit_code_is_known_at_once(tmp_path, kind, status, code):
    made = make(tmp_path, kind)
    result = {"kind": kind, "status": status, "best": {"number": 0}}
    made.write_result(result)
    made.update_manifest(status=status)
    made.unlock()
    done = run(tmp_path, "wait", "last", "--json")
    assert (done.returncode, json.loads(done.stdout)) == (code, result)
    assert status in done.stderr


def test_a_sweep_without_a_winner_has_failed(tmp_path):
    made = make(tmp_path, "sweep")
    made.write_result({"kind": "sweep", "status": "finished", "best": None})
    made.update_manifest(status="finished")
    made.unlock()
    assert run(tmp_path, "wait", "last").returncode == 1


@pytest.mark.parametrize("kind", ["train", "sweep", "cv"])
def test_a_run_of_another_process_is_waited_for(tmp_path, kind, monkeypatch):
    made = make(tmp_path, kind)
    looks = []

    def pause(_seconds):
        """End the run at the third look, as its process would."""
        looks.append(made.is_locked())
        if len(looks) == 3:
            made.update_manifest(status="diverged" if kind == "train" else "failed")
            made.unlock()

    monkeypatch.setattr("dlexp.cli.command.run.wait.time.sleep", pause)
    done = run(tmp_path, "wait", made.run_id)
    assert looks == [True] * 3
    assert done.returncode == (3 if kind == "train" else 1)
    assert done.stdout.startswith(f"waiting for runs/digits/{made.run_id}")


@pytest.mark.parametrize("kind", ["train", "sweep", "cv"])
def test_of_a_dead_process_nothing_is_waited_for(tmp_path, kind):
    made = make(tmp_path, kind)
    made.unlock()
    done = run(tmp_path, "wait", "last")
    assert done.returncode == 2
    assert f"its process died; go on with: dlexp {kind} --resume {made.run_id}" in done.stderr


def test_an_unknown_run_is_one_line(tmp_path):
    make(tmp_path).unlock()
    done = run(tmp_path, "wait", "absent")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("run error: absent: no such run in runs")
