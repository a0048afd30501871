"""How long training takes, by what it is proportional to."""

from types import SimpleNamespace

import pytest

from dlexp.build.dataset import Datasets, load_data
from dlexp.config.resolve import resolve
from dlexp.execution import estimate
from dlexp.execution.assignment import Assignment
from dlexp.execution.fusion import Choice

ALONE = Choice("solo", 1, 1.0, "")


@pytest.fixture
def timed(monkeypatch):
    """An update takes a second by the clock."""
    now = iter(range(10**6))
    monkeypatch.setattr(estimate, "time", SimpleNamespace(perf_counter=lambda: next(now)))


def part(tmp_path, number: int, *overrides: str, until: int | None = None) -> list[Assignment]:
    config = resolve(["tracking=none", "data.limit=320", "trainer.epochs=4", *overrides]).config
    return [Assignment(config, tmp_path / "none", "trial", until) for _ in range(number)]


def test_updates_and_evaluation_of_the_epochs_that_are_left(timed, tmp_path):
    config = part(tmp_path, 1)[0].config
    epoch = 320 / 32 + len(load_data(config).val) / 32 / 3
    assert estimate.seconds([(part(tmp_path, 1), ALONE)], Datasets()) == pytest.approx(4 * epoch)
    assert estimate.seconds([(part(tmp_path, 3, until=1), ALONE)], Datasets()) == pytest.approx(3 * epoch)
    faster = Choice("batched", 4, 2.0, "")
    assert estimate.seconds([(part(tmp_path, 4), faster)], Datasets()) == pytest.approx(4 * 4 * epoch / 2)


def test_many_structures_are_taken_to_be_like_the_first(timed, tmp_path):
    parts = [(part(tmp_path, 1, f"model.widths=[{width}]"), ALONE) for width in range(4, 14)]
    assert estimate.seconds(parts, Datasets()) == pytest.approx(10 * estimate.seconds(parts[:1], Datasets()))
