"""What a trial takes is measured and agrees with what it then takes."""

from pathlib import Path

import pytest

from dlexp.build.dataset import load_data
from dlexp.config.resolve import resolve
from dlexp.execution.estimate import BLOCK, estimate
from dlexp.job.sweep import sweep

BASE = ["tracking=none", "trainer.threads=1", "model.widths=[16]", "data.limit=300", "trainer.epochs=4"]


def made(trials, *overrides):
    keys = [override.partition("=")[0] for override in overrides]
    shared = [override for override in BASE if override.partition("=")[0] not in keys]
    configs = [resolve([*shared, *overrides, f"seed={i}"]).config for i in range(trials)]
    return configs, [load_data(configs[0])] * trials


def test_a_stack_and_a_trial_alone():
    alone = estimate(*made(1))
    together = estimate(*made(8, "trainer.fuse=8"))
    assert (alone.choice.engine, together.choice.size) == ("solo", 8)
    assert alone.num_params == together.num_params == 64 * 16 + 2 * 16 + 16 * 10 + 10
    assert alone.steps == 10
    assert together.memory > alone.memory
    assert 0 < together.update < alone.update * 3
    assert together.epoch_seconds == pytest.approx(10 * together.update + together.evaluation + together.saving)


class Deaf:
    def listen(self, event):
        pass

    def close(self):
        pass


def test_the_disk_is_that_of_a_real_trial(tmp_path, monkeypatch):
    monkeypatch.setattr(sweep, "draw_figures", lambda *_: None)
    (config,), (data,) = made(1)
    found = estimate([config], [data])
    done = sweep.start([*BASE, f"runs_dir={tmp_path}", "seed=0,1"], None, announce=lambda _about: Deaf())
    for record in done.outcome.result["trials"]:
        written = [path for path in Path(record["run_dir"]).rglob("*") if path.is_file()]
        real = sum(-(-path.stat().st_size // BLOCK) * BLOCK for path in written)
        assert found.disk + 3 * found.disk_epoch == pytest.approx(real, rel=0.15)


def test_mlflow_s_copies_count():
    (config,), (data,) = made(1, "tracking=mlflow")
    assert estimate([config], [data]).disk > estimate(*made(1)).disk
