"""Where trials train is only where they train: a cluster that loses a node gives what this process gives."""

import hashlib
from pathlib import Path

import pytest

from dlexp.job.cv import cv
from dlexp.job.sweep import sweep
from dlexp.job.sweep.loop import TrialEpoch
from tests.launcher.cluster import two_nodes

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # Ray's own

SPACE = ["trainer.epochs=40", "optimizer.lr=0.01,0.1,1", "seed=0,1"]
SHARED = ["tracking=none", "data.limit=300", "model.widths=[16]", "dropout=inverted", "trainer.fuse=off"]


@pytest.fixture
def cluster():
    with two_nodes() as made:
        yield made


class Listener:
    """Removes a node at an epoch."""

    def __init__(self, remove=lambda: None):
        self.remove, self.num_epochs = remove, 0

    def listen(self, event):
        self.num_epochs += isinstance(event, TrialEpoch)
        if self.num_epochs == 3:
            self.num_epochs += 1
            self.remove()

    def close(self):
        pass


def search(runs_dir, *overrides, listener=None):
    arguments = [
        *SHARED,
        "trainer.epochs=40",
        "optimizer.lr=0.01,0.1,1",
        "seed=0,1",
        f"runs_dir={runs_dir}",
        *overrides,
    ]
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


def test_folds_on_a_cluster_are_the_folds_at_home(cluster, tmp_path):
    def validate(name, *overrides):
        arguments = [*SHARED, "trainer.epochs=3", "cv.k=3", f"runs_dir={tmp_path / name}", *overrides]
        result = cv.start(arguments, announce=lambda _about: lambda _end: None, has_figures=False).result
        return {key: result[key] for key in ("status", "mean", "std", "out_of_fold")}

    away = validate("there", "launcher=ray", f"launcher.address={cluster[0].address}")
    assert away == validate("here", "launcher.workers=1")
