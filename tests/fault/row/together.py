"""Processes that meet: on one run, on one fresh store; and a clock that goes backwards."""

import json
import os
import shutil
import signal
import sqlite3
import time
from pathlib import Path

from tests.fault.bits import require_equal
from tests.fault.moment import draw, epochs, kill_in
from tests.fault.process import Command, dlexp
from tests.fault.promise import Attempt, Row, TooLate
from tests.fault.row.damaged import QUICK
from tests.fault.row.instant import THREE_EPOCHS
from tests.fault.row.killed import NUM_EPOCHS, TRAIN, kill_training, trained, undisturbed

NUM_TOGETHER, NUM_SENDERS = 8, 4


def one_run(attempt: Attempt) -> None:
    """Kill a training and let three processes go on with it at once; one does, the others are told by whom."""
    expected = undisturbed(attempt, "train", TRAIN, trained)
    kill_training(attempt, 1, 20)
    commands = []
    for _ in range(3):
        commands.append(Command("train", "--resume", "last", "--runs-dir", "runs"))
        time.sleep(attempt.chance.choice([0, 0.05, 0.3]))
    ended = [command.done() for command in commands]
    trainers = [done for done in ended if done.code == 0 and "nothing to resume" not in done.out + done.err]
    assert len(trainers) == 1, [(done.code, done.err[-100:]) for done in ended]
    for done in ended:
        assert done.code == 0 or (done.code == 2 and "in use by process" in done.err), done.err
    require_equal(expected, trained(Path("runs")))


def fresh_store(attempt: Attempt) -> None:
    """Give eight commands at once where there is no store yet; it has them all in the end."""
    commands = []
    for seed in range(NUM_TOGETHER):
        words = [word for word in THREE_EPOCHS if word != "tracking=none"]
        commands.append(Command(*words, f"seed={seed}"))
        time.sleep(attempt.chance.uniform(0, 0.05))
    for command in commands:
        done = command.done(200)
        assert done.code == 0, done.err
        assert "Traceback" not in done.err, done.err
    send_the_rest()
    with sqlite3.connect(next(Path("runs").glob("*.db"))) as connection:
        statuses = [status for (status,) in connection.execute("select status from runs")]
        experiments = connection.execute("select count(*) from experiments where name != 'Default'").fetchone()[0]
    assert statuses == ["FINISHED"] * NUM_TOGETHER, statuses
    assert experiments == 1
    logs = [path.read_text() for path in Path("runs").glob("*/*/outbox.log")]
    assert not any("Traceback" in log for log in logs), logs


def send_the_rest() -> None:
    """Send what was too slow to be waited for; a run that is still being sent is waited for, as `sync` asks."""
    deadline = time.monotonic() + 200
    while (done := dlexp("sync", "--runs-dir", "runs", seconds=200)).code != 0:
        assert "in use by process" in done.err, done.err
        assert time.monotonic() < deadline, done.err
        time.sleep(1)


def sent_at_once(attempt: Attempt) -> int:
    """Send runs at once to a store that is not there yet; each command succeeds, and the store has each run once."""
    import mlflow  # noqa: F401  # once for all senders, not while they meet

    shutil.copytree(trained_runs(attempt) / "runs", "runs")
    ids = [path.parent.name.partition("-")[0] for path in Path("runs").glob("*/*/manifest.json")]
    uri = f"sqlite:///{attempt.place}/store.db"
    commands = [Command("sync", run, "--runs-dir", "runs", "--uri", uri) for run in ids]
    for command in commands:
        done = command.done(200)
        assert done.code == 0, done.out + done.err
        assert "Traceback" not in done.err, done.err
    with sqlite3.connect("store.db") as connection:
        statuses = [status for (status,) in connection.execute("select status from runs")]
        experiments = connection.execute("select count(*) from experiments where name != 'Default'").fetchone()[0]
    assert (statuses, experiments) == (["FINISHED"] * NUM_SENDERS, 1), (statuses, experiments)
    return NUM_SENDERS


def trained_runs(attempt: Attempt) -> Path:
    """Return a folder with the runs to be sent; trained once for all attempts."""
    place = attempt.shared / "to-be-sent"
    if not (place / "ready").exists():
        place.mkdir(exist_ok=True)
        os.chdir(place)
        for seed in range(NUM_SENDERS):
            assert dlexp(*QUICK, f"seed={seed}").code == 0
        (place / "ready").touch()
        os.chdir(attempt.place)
    return place


def clock_backwards(attempt: Attempt) -> None:
    """Have the wall clock jump back by hours with every look at it, in training and in a resume."""
    expected = undisturbed(attempt, "train", TRAIN, trained)
    jump = attempt.chance.choice([0.01, 60.0, 3600.0])

    def prepare() -> None:
        begun, looks = time.time(), [0]

        def backwards() -> float:
            looks[0] += 1
            return begun - jump * looks[0]

        time.time = backwards

    command, signum = Command(*TRAIN, prepare=prepare), attempt.chance.choice([signal.SIGKILL, signal.SIGTERM])
    if not kill_in(command, draw(attempt, 30, 1), signum, epochs, NUM_EPOCHS):
        raise TooLate("the training had ended")
    done = dlexp("train", "--resume", "last", "--runs-dir", "runs", prepare=prepare)
    assert done.code == 0, done.err
    require_equal(expected, trained(Path("runs")))
    listed = dlexp("runs", "--runs-dir", "runs", "--json", prepare=prepare)
    assert listed.code == 0, listed.err
    assert len(json.loads(listed.out)) == 1


ROWS = [
    Row(
        "one-run",
        "A run belongs to one process: others are told which, and the bits are those of the run left alone",
        "three processes that resume a killed run at once",
        one_run,
        fast=1,
        full=30,
    ),
    Row(
        "fresh-store",
        "Commands that begin at once share a store that is not there yet: nothing is lost",
        f"{NUM_TOGETHER} trainings at once on an empty folder; MLflow's database is read afterwards",
        fresh_store,
        fast=0,
        full=5,
        limit=500.0,
    ),
    Row(
        "sent-at-once",
        "Commands that send at once to a store that is not there yet make it once: each succeeds, no run is lost",
        f"{NUM_SENDERS} `dlexp sync` at the same moment",
        sent_at_once,
        fast=0,
        full=10,
        each=NUM_SENDERS,
        limit=300.0,
    ),
    Row(
        "clock-backwards",
        "A clock that goes backwards changes no number, neither in training nor on resume",
        "each look at the clock is 10 ms, a minute or an hour before the last one; a kill or SIGTERM between",
        clock_backwards,
        fast=1,
        full=20,
    ),
]
