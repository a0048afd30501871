"""A run's diagnosis: its first updates again, its last checkpoint, its epochs; and nothing is written."""

from pathlib import Path

import pytest
import torch

from dlexp.config.resolve import resolve
from dlexp.error import ConfigError, RunError
from dlexp.job.diagnose import diagnose, diagnose_run
from dlexp.job.train import train
from tests.diagnose.case import SMALL
from tests.docs.test_schema import faults


def files(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_a_run_that_was_blown_apart(tmp_path):
    overrides = [*SMALL, "optimizer.lr=10", "norm=none", "trainer.epochs=2", f"runs_dir={tmp_path}"]
    result = train.start(resolve(overrides), announce=lambda _: lambda _: None).result
    before = files(tmp_path)
    told = diagnose_run("last", tmp_path, tmp_path.parent / "g.png")
    assert (told["run_id"], told["status"]) == (result["run_id"], "diverged")
    assert (told["findings"][0]["rule"], told["findings"][0]["is_finding"]) == ("lr_large", True)
    assert faults("diagnose", told) == []
    assert files(tmp_path) == before
    assert Path(told["figure"] or "").stat().st_size > 0
    if not torch.cuda.is_available():
        with pytest.raises(ConfigError, match=r"^--device: got cuda; "):
            diagnose_run("last", tmp_path, device="cuda")


def test_before_training_nothing_is_written(tmp_path):
    told = diagnose(resolve([*SMALL, f"runs_dir={tmp_path / 'runs'}"]))
    assert (told["run_id"], told["updates"], told["findings"]) == (None, 100, [])
    assert faults("diagnose", told) == []
    assert files(tmp_path) == {}


def test_an_unknown_run(tmp_path):
    with pytest.raises(RunError):
        diagnose_run("nothing", tmp_path)
