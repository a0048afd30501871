"""Sweeps and cross-validations in real worker processes: the same numbers, and nothing lost."""

import os
import signal
from pathlib import Path

import psutil

from dlexp.job.cv import cv
from dlexp.job.sweep import sweep
from dlexp.job.sweep.loop import TrialDone, TrialEpoch
from dlexp.run.folder import RunFolder

SHARED = ["tracking=none", "data.limit=300", "model.widths=[16]", "dropout=inverted", "trainer.epochs=3"]
SPACE = ["optimizer.lr=0.01,0.1,1", "seed=0,1"]


class Listener:
    """Hears events and does something at one of them."""

    def __init__(self, act=lambda _event: None):
        self.act, self.events = act, []

    def listen(self, event):
        self.events.append(event)
        self.act(event)

    def close(self):
        pass

    def trained(self):
        return [event.result.trial.id for event in self.events if isinstance(event, TrialDone) and event.is_new]


def run(runs_dir, *overrides, listener=None):
    listener = listener or Listener()
    arguments = [*SHARED, *SPACE, f"runs_dir={runs_dir}", *overrides]
    return sweep.start(arguments, None, announce=lambda _about: listener, has_figures=False).outcome


def table(outcome):
    varying = ("run_dir", "seconds")
    return [{key: value for key, value in trial.items() if key not in varying} for trial in outcome.result["trials"]]


def workers():
    return [child for parent in psutil.Process().children() for child in parent.children()]


class Killer:
    """Kills a worker at the first epoch."""

    def __init__(self):
        self.has_killed = False

    def __call__(self, event):
        if isinstance(event, TrialEpoch) and not self.has_killed:
            self.has_killed = True
            max(workers(), key=lambda process: process.cpu_times().user).kill()


def num_lost(outcome):
    """Return how many trials a worker was lost over."""
    folders = [RunFolder.open(Path(trial["run_dir"])) for trial in outcome.result["trials"]]
    return sum("SIGKILL" in (folder.path / "log.txt").read_text() for folder in folders)


def test_a_sweep_goes_on_in_workers_after_a_stop_and_after_the_death_of_one(tmp_path):
    whole = run(tmp_path / "whole", "launcher.workers=1", "trainer.fuse=off")

    def stop(event):
        if isinstance(event, TrialEpoch) and event.event.epoch == 2:
            os.kill(os.getpid(), signal.SIGINT)

    listener = Listener(stop)
    stopped = run(tmp_path / "cut", "launcher.workers=1", "trainer.fuse=off", listener=listener)
    assert (stopped.exit_code, stopped.result["status"]) == (130, "interrupted")
    before = listener.trained()

    listener = Listener(Killer())
    gone_on = run(tmp_path / "cut", "launcher.workers=2", "trainer.fuse=off", listener=listener)
    assert gone_on.exit_code == 0
    assert gone_on.result["run_id"] == stopped.result["run_id"]
    assert table(gone_on) == table(whole)
    assert not set(before) & set(listener.trained())
    assert workers() == []
    assert num_lost(gone_on) == 1


def test_stacks_in_workers_stop_with_a_checkpoint_and_go_on(tmp_path):
    whole = run(tmp_path / "whole", "launcher.workers=1", "trainer.fuse=3")
    signals = [signal.SIGTERM]

    def stop(event):
        if isinstance(event, TrialEpoch) and signals:
            os.kill(os.getpid(), signals.pop())

    stopped = run(tmp_path / "cut", "launcher.workers=2", "trainer.fuse=3", listener=Listener(stop))
    assert (stopped.exit_code, stopped.result["status"]) == (143, "interrupted")
    assert workers() == []
    gone_on = run(tmp_path / "cut", "launcher.workers=2", "trainer.fuse=3", listener=Listener(Killer()))
    assert table(gone_on) == table(whole)
    assert 1 <= num_lost(gone_on) <= 3
    assert {group["engine"] for group in gone_on.result["groups"]} == {"fused"}


def test_folds_in_workers(tmp_path):
    def validate(name, workers):
        arguments = [
            *SHARED,
            "cv.k=3",
            "trainer.fuse=off",
            f"runs_dir={tmp_path / name}",
            f"launcher.workers={workers}",
        ]
        result = cv.start(arguments, announce=lambda _about: lambda _end: None, has_figures=False).result
        return {key: result[key] for key in ("status", "mean", "std", "out_of_fold")}

    assert validate("here", 1) == validate("there", 2)
