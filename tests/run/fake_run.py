"""A run folder filled as the train job fills it, without training; shared by the tests of what reads and sends it."""

import json

import pytest

from dlexp.run.environment import now
from dlexp.run.folder import RunFolder


class FakeRun:
    """A run folder filled as the train job fills it, without training."""

    def __init__(self, runs_dir, **tracking):
        self.tracking = {"_target_": "dlexp.tracking.mlflow.MLflow", "uri": None, "experiment": None, "weights": False}
        self.tracking.update(tracking)
        described = {
            "kind": "train",
            "task": "multiclass",
            "seed": 3,
            "device": "cpu",
            "data": {"name": "digits", "fingerprint": "ab" * 32},
            "params": {"model": "mlp", "optimizer.lr": 0.1, "model.widths": [8, 8]},
            "in_shape": [64],
            "num_outputs": 10,
        }
        self.folder = RunFolder.create(
            runs_dir,
            "digits",
            "lr0.1-mlp",
            config={"tracking": self.tracking, "seed": 3},
            overrides=["optimizer.lr=0.1"],
            manifest=described,
        )

    def train(self, first, last, *, unsaved=0):
        """Add the epochs first..last; the checkpoint is behind by `unsaved` of them."""
        for epoch in range(first, last + 1):
            values = {"train/loss": 1 / epoch, "val/accuracy": 1 - 1 / (epoch + 1) - 0.3 * (epoch % 3 == 0)}
            self.folder.append_epoch({"epoch": epoch, "step": 10 * epoch, "lr": 0.1, **values, "seconds": 0.5})
            if epoch <= last - unsaved:
                self.save(epoch)

    def save(self, epoch):
        path = self.folder.checkpoints / "last" / "manifest.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"epoch": epoch, "files": {}}))

    def end(self, status="finished"):
        metrics = {"val/accuracy": 0.8, "test/accuracy": 0.75}
        self.folder.write_result(
            {"kind": "train", "status": "finished", "metrics": metrics, "seconds": 1.5, "num_params": 100}
        )
        self.folder.figures.mkdir(exist_ok=True)
        (self.folder.figures / "curve.png").write_bytes(b"png")
        self.folder.write_predictions("val", [0, 1], [3, 4], [[0.1, 0.9], [0.8, 0.2]])
        self.folder.update_manifest(status=status, end=now())


@pytest.fixture
def fake_run(tmp_path):
    made = []

    def make(runs_dir=tmp_path / "runs", **tracking):
        made.append(FakeRun(runs_dir, **tracking))
        return made[-1]

    yield make
    for run in made:
        run.folder.unlock()
