"""Where trials train is only where they train: what a cluster gives after losses is what this process gives."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from dlexp.job.cv import cv
from dlexp.job.sweep import sweep
from dlexp.job.sweep.loop import TrialDone, TrialEpoch
from dlexp.run.folder import RunFolder
from tests.launcher.cluster import two_nodes

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # Ray's own

SPACE = ["trainer.epochs=40", "optimizer.lr=0.01,0.1,1", "seed=0,1"]
SHARED = ["tracking=none", "data.limit=300", "model.widths=[16]", "dropout=inverted", "trainer.fuse=off"]


@pytest.fixture
def cluster():
    with two_nodes() as made:
        yield made


class Listener:
    """Removes a node as soon as both are seen to train."""

    def __init__(self, remove=lambda: None):
        self.remove, self.training = remove, set()

    def listen(self, event):
        if isinstance(event, TrialEpoch):
            self.training.add(event.trial.id)
        elif isinstance(event, TrialDone):
            self.training.discard(event.result.trial.id)
        if len(self.training) == 2:
            self.remove()
            self.remove = lambda: None

    def close(self):
        pass


def search(runs_dir, *overrides, listener=None):
    keys = {text.partition("=")[0] for text in overrides}
    space = [text for text in SPACE if text.partition("=")[0] not in keys]
    arguments = [*SHARED, *space, f"runs_dir={runs_dir}", *overrides]
    listener = listener or Listener()
    return sweep.start(arguments, None, announce=lambda _about: listener, has_figures=False).outcome.result


def table(result):
    varying = ("run_dir", "seconds")
    return [{key: value for key, value in trial.items() if key not in varying} for trial in result["trials"]]


def paths(result):
    return [Path(trial["run_dir"]) for trial in result["trials"]]


def weights(result):
    files = [file for path in paths(result) for file in sorted((path / "checkpoints").rglob("*.safetensors"))]
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]


def validate(runs_dir, *overrides):
    arguments = [*SHARED, "trainer.epochs=3", "cv.k=3", f"runs_dir={runs_dir}", *overrides]
    result = cv.start(arguments, announce=lambda _about: lambda _end: None, has_figures=False).result
    return {key: result[key] for key in ("status", "mean", "std", "out_of_fold")}


def test_a_sweep_that_loses_a_node_in_the_middle_is_the_sweep_at_home(cluster, tmp_path):
    made, nodes = cluster
    away = ["launcher=ray", f"launcher.address={made.address}"]
    listener = Listener(lambda: made.remove_node(nodes.pop(), allow_graceful=False))
    there = search(tmp_path / "there", *away, listener=listener)
    here = search(tmp_path / "here", "launcher.workers=1")
    assert len(nodes) == 1
    assert table(there) == table(here)
    assert weights(there) == weights(here)
    logs = [(path / "log.txt").read_text() for path in paths(there)]
    assert any("its node went or is out of reach" in log for log in logs)


def test_where_nodes_share_no_disk_trials_come_back_and_a_lost_node_costs_a_second_training(cluster, tmp_path):
    made, nodes = cluster
    away = ["launcher=ray", f"launcher.address={made.address}", "launcher.shared=false"]
    listener = Listener(lambda: made.remove_node(nodes.pop(), allow_graceful=False))
    there = search(tmp_path / "there", "trainer.epochs=12", *away, listener=listener)
    here = search(tmp_path / "here", "trainer.epochs=12", "launcher.workers=1")
    assert len(nodes) == 1
    assert table(there) == table(here)
    assert weights(there) == weights(here) != []
    assert [(RunFolder(path).result or {})["run_dir"] for path in paths(there)] == [str(path) for path in paths(there)]
    assert any("its node went or is out of reach" in (path / "log.txt").read_text() for path in paths(there))


def test_folds_on_a_cluster_are_the_folds_at_home(cluster, tmp_path):
    away = ["launcher=ray", f"launcher.address={cluster[0].address}"]
    home = validate(tmp_path / "here", "launcher.workers=1")
    assert validate(tmp_path / "there", *away) == home
    assert validate(tmp_path / "apart", *away, "launcher.shared=false") == home


def processes(runs_dir):
    """Return the processes of jobs that have begun."""
    words = f"dlexp.launcher.job\0{runs_dir}/"
    pids = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            pids += [int(path.parent.name)] if words in path.read_text() else []
    return pids


def marks(runs_dir, kind):
    lines = [line for path in Path(runs_dir).glob("*/*/slurm/*/*/events") for line in path.read_text().splitlines()]
    events = [json.loads(line)["fields"] for line in lines if line]
    return [fields for fields in events if fields.get("kind") == kind]


def test_a_sweep_of_which_a_job_is_killed_and_another_taken_away_is_the_sweep_at_home(slurm, tmp_path):
    signals = [signal.SIGKILL, signal.SIGUSR2]  # as of a node's lack of memory, as before a preemption

    def disturb():
        deadline = time.monotonic() + 120
        while len(pids := processes(tmp_path / "there")) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        for pid, signum in zip(pids, signals, strict=True):
            os.kill(pid, signum)

    long = ["trainer.epochs=300", "optimizer.lr=0.01,0.1"]  # two jobs are at work together
    away = ["launcher=slurm", "launcher.array_parallelism=2", "launcher.mem_gb=1"]
    there = search(tmp_path / "there", *long, *away, listener=Listener(disturb))
    here = search(tmp_path / "here", *long, "launcher.workers=1")
    assert table(there) == table(here)
    assert weights(there) == weights(here)
    assert len(marks(tmp_path / "there", "again")) == 1
    logs = [(path / "log.txt").read_text() for path in paths(there)]
    assert sum("ended (FAILED)" in log for log in logs) == 1


def test_folds_as_jobs_are_the_folds_at_home(slurm, tmp_path):
    away = validate(tmp_path / "there", "launcher=slurm", "launcher.array_parallelism=2")
    assert away == validate(tmp_path / "here", "launcher.workers=1")


def test_a_driver_that_is_killed_finds_its_jobs_and_trains_nothing_twice(slurm, tmp_path):
    away = ["launcher=slurm", "launcher.array_parallelism=2"]
    program = [
        Path(sys.executable).with_name("dlexp"),
        "sweep",
        *SHARED,
        *SPACE,
        f"runs_dir={tmp_path / 'there'}",
        *away,
    ]
    driver = subprocess.Popen(program, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while not marks(tmp_path / "there", "begun"):
        assert time.monotonic() < deadline
        assert driver.poll() is None
        time.sleep(0.1)
    driver.kill()
    driver.wait()
    there = search(tmp_path / "there", *away)
    here = search(tmp_path / "here", "launcher.workers=1")
    assert table(there) == table(here)
    assert weights(there) == weights(here)
    assert len(marks(tmp_path / "there", "begun")) == len(there["trials"])
