"""`--events`: a line for each event, typed, the last with exit code and result; nothing else on stdout."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from docs import schema
from tests import command

DLEXP = Path(sys.executable).parent / "dlexp"
QUICK = ["data=iris", "model=softmax", "tracking=none", "trainer.threads=1", "trainer.epochs=2", "trainer.fuse=off"]
VALIDATOR = Draft202012Validator(schema.schema("event"))


def events_of(text):
    """Return the events of what a command printed, each held to its schema."""
    events = [json.loads(line) for line in text.splitlines()]
    assert [error.message for event in events for error in VALIDATOR.iter_errors(event)] == []
    return events


def kinds(events):
    return [event["event"] for event in events]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return tmp_path_factory.mktemp("project")


@pytest.fixture(scope="module")
def trained(project):
    return command.run(project, "train", *QUICK, "--events")


@pytest.fixture(scope="module")
def swept(project):
    return command.run(project, "sweep", *QUICK, "optimizer.lr=0.01,0.1", "--events")


def test_a_training_run(project, trained):
    start, *epochs, end = events_of(trained.stdout)
    assert (start["event"], start["kind"], start["epochs"], start["is_resumed"]) == ("start", "train", 2, False)
    assert [(event["event"], event["epoch"]) for event in epochs] == [("epoch", 1), ("epoch", 2)]
    assert {event["run_id"] for event in epochs} == {start["run_id"]}
    assert (end["event"], end["exit_code"], end["status"], end["error"]) == ("end", 0, "finished", None)
    stored = json.loads((Path(start["run_dir"]) / "result.json").read_text())
    del stored["sha256"]
    assert end["result"] == stored | {
        "run_id": start["run_id"],
        "run_dir": start["run_dir"],
    }
    assert "finished after 2 epochs" in trained.stderr


def test_a_sweep_and_the_same_again(project, swept):
    start, *events, end = events_of(swept.stdout)
    assert (start["kind"], start["total"], start["is_resumed"]) == ("sweep", 2, False)
    trials = [event for event in events if event["event"] == "trial"]
    assert sorted(kinds(events)) == ["epoch"] * 4 + ["trial"] * 2
    assert [(trial["done"], trial["total"], trial["is_new"]) for trial in trials] == [(1, 2, True), (2, 2, True)]
    assert sorted(trial["setting"]["optimizer.lr"] for trial in trials) == [0.01, 0.1]
    for trial in trials:
        epochs = [
            event["epoch"] for event in events if event["event"] == "epoch" and event["run_id"] == trial["run_id"]
        ]
        assert epochs == [1, 2]
    again = events_of(command.run(project, "sweep", *QUICK, "optimizer.lr=0.01,0.1", "--events").stdout)
    assert kinds(again) == ["start", "trial", "trial", "end"]
    assert again[0]["is_resumed"]
    assert [(event["is_new"], event["value"]) for event in again[1:3]] == [
        (False, trial["value"]) for trial in sorted(trials, key=lambda trial: trial["number"])
    ]
    assert again[-1]["result"]["best"] == end["result"]["best"]


def test_a_cross_validation(project):
    done = command.run(project, "cv", *QUICK, "cv.k=2", "optimizer.lr=0.01,0.1", "--events")
    start, *events, end = events_of(done.stdout)
    assert (start["kind"], start["total"]) == ("cv", 4)
    folds = [event for event in events if event["event"] == "fold"]
    assert sorted((fold["setting"]["optimizer.lr"], fold["fold"]) for fold in folds) == [
        (0.01, 0),
        (0.01, 1),
        (0.1, 0),
        (0.1, 1),
    ]
    assert kinds(events).count("epoch") == 8
    assert (end["exit_code"], end["result"]["kind"]) == (0, "cv")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "model=x"], "model: got x"),
        (["train", "--json"], "--events: got --json too; its document is in the last event"),
        (["train", "--dry-run"], "--events: got --dry-run too; nothing is trained"),
        (["train", "--verify-trial", "last"], "--events: got --verify-trial too"),
        (["train", "--seeds", "2"], "--events: got --seeds too"),
        (["train", "--resume", "absent"], "absent: "),
        (["sweep"], "nothing to search"),
        (["sweep", "optimizer.lr=1,2", "--detach"], "--events: got --detach too"),
        (["cv", "--audit"], "--events: got --audit too"),
        (["cv", "--no-such-flag"], "No such option"),
    ],
)
def test_what_cannot_be_followed_is_one_end(project, arguments, words):
    done = command.run(project, *arguments, "--events")
    (end,) = events_of(done.stdout)
    assert (end["exit_code"], end["status"], end["result"]) == (done.returncode, "failed", None)
    assert done.returncode == 2
    assert words in end["error"]["message"]
    assert words in done.stderr


def follow(cwd, *arguments):
    """Return a process of its own: a pipe to it can be closed, and a signal sent."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [DLEXP, *arguments, "--events"], cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )


def test_a_reader_that_leaves_ends_it_quietly_and_the_run_goes_on_from_there(tmp_path):
    with follow(tmp_path, "train", *QUICK[:-2], "trainer.epochs=1000000") as left:
        assert left.stdout is not None
        lines = [json.loads(left.stdout.readline()) for _ in range(3)]
        assert kinds(lines) == ["start", "epoch", "epoch"]
        left.stdout.close()
        assert left.wait(60) == 128 + signal.SIGPIPE
    done = len((Path(lines[0]["run_dir"]) / "metrics.jsonl").read_text().splitlines())
    assert done >= 2
    with follow(tmp_path, "train", "--resume", "last") as again:
        assert again.stdout is not None
        first = b"".join(again.stdout.readline() for _ in range(2))
        again.send_signal(signal.SIGINT)
        start, *epochs, end = events_of((first + again.stdout.read()).decode())
        assert again.wait(60) == 130
    assert (start["epochs_done"], start["is_resumed"], start["run_id"]) == (done, True, lines[0]["run_id"])
    assert [event["epoch"] for event in epochs] == list(range(done + 1, done + 1 + len(epochs)))
    assert (end["event"], end["exit_code"], end["status"]) == ("end", 130, "interrupted")
