"""What a trial takes is measured, agrees with what it then takes, and grows with what it is proportional to."""

import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from dlexp import device as devices
from dlexp.build.components import Components, components_of
from dlexp.build.dataset import load_data
from dlexp.config.resolve import resolve
from dlexp.execution import fusion
from dlexp.execution.assignment import Assignment, Group
from dlexp.execution.estimate import BLOCK, estimate, seconds
from dlexp.execution.fusion import Choice
from dlexp.job.sweep import sweep
from tests.present import present
from tests.pretended.device import pretend

BASE = ["tracking=none", "trainer.threads=1", "model.widths=[16]", "data.limit=300", "trainer.epochs=4"]


def made(trials, *overrides):
    keys = [override.partition("=")[0] for override in overrides]
    shared = [override for override in BASE if override.partition("=")[0] not in keys]
    configs = [resolve([*shared, *overrides, f"seed={i}"]).config for i in range(trials)]
    return components_of(configs, [load_data(configs[0])] * trials)


def test_a_stack_and_a_trial_alone():
    alone = estimate(made(1))
    together = estimate(made(8, "trainer.fuse=8"))
    assert (alone.choice.engine, together.choice.size) == ("solo", 8)
    assert alone.num_params == together.num_params == 64 * 16 + 2 * 16 + 16 * 10 + 10
    assert alone.steps == 10
    assert together.memory > alone.memory
    assert 0 < together.update < alone.update * 3
    assert together.epoch_seconds == pytest.approx(10 * together.update + together.evaluation + together.saving)


@pytest.mark.parametrize(("trials", "fuse"), [(1, "1"), (4, "4"), (4, "auto")])
def test_the_clock_is_read_when_the_device_is_done(trials, fuse, monkeypatch):
    """A launch takes microseconds, whatever the work: what is timed has ended, and what was before it, too."""
    pending = []
    with pretend() as log:

        def read() -> float:
            pending.append(log.pending)
            return time.perf_counter()

        for place in (devices, fusion):
            monkeypatch.setattr(place, "time", SimpleNamespace(perf_counter=read))
        estimate(made(trials, "trainer.device=cuda", f"trainer.fuse={fuse}"))
    assert len(pending) > 8
    assert set(pending) == {0}


class Deaf:
    def listen(self, event):
        pass

    def close(self):
        pass


def test_the_disk_is_that_of_a_real_trial(tmp_path):
    estimated = estimate(made(1))
    done = sweep.start(
        [*BASE, f"runs_dir={tmp_path}", "seed=0,1"], None, announce=lambda _about: Deaf(), has_figures=False
    )
    for record in done.outcome.result["trials"]:
        written = [path for path in Path(present(record["run_dir"])).rglob("*") if path.is_file()]
        real = sum(-(-path.stat().st_size // BLOCK) * BLOCK for path in written)
        assert estimated.disk + 3 * estimated.disk_epoch == pytest.approx(real, rel=0.15)


def test_mlflow_s_copies_count():
    assert estimate(made(1, "tracking=mlflow")).disk > estimate(made(1)).disk


ALONE = Choice("solo", 1, 1.0, "")


@pytest.fixture
def timed(monkeypatch):
    """An update takes a second by the clock."""
    now = iter(range(10**6))
    monkeypatch.setattr(devices, "time", SimpleNamespace(perf_counter=lambda: next(now)))


def group(tmp_path, number: int, *overrides: str, until: int | None = None, choice: Choice = ALONE) -> Group:
    config = resolve(["tracking=none", "data.limit=320", "trainer.epochs=4", *overrides]).config
    built = Components.of(config)
    return Group([Assignment(config, tmp_path / "none", "trial", until, built) for _ in range(number)], choice, 1)


def test_updates_and_evaluation_of_the_epochs_that_are_left(timed, tmp_path):
    config = group(tmp_path, 1).assignments[0].config
    epoch = 320 / 32 + len(load_data(config).val) / 32 / 3
    assert seconds([group(tmp_path, 1)]) == pytest.approx(4 * epoch)
    assert seconds([group(tmp_path, 3, until=1)]) == pytest.approx(3 * epoch)
    faster = Choice("batched", 4, 2.0, "")
    assert seconds([group(tmp_path, 4, choice=faster)]) == pytest.approx(4 * 4 * epoch / 2)


def test_many_structures_are_taken_to_be_like_the_first(timed, tmp_path):
    structures = [group(tmp_path, 1, f"model.widths=[{width}]") for width in range(4, 14)]
    assert seconds(structures) == pytest.approx(10 * seconds(structures[:1]))
