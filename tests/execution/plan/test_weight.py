"""The largest program first, by operations and epochs; what is trained is the same in any order."""

from pathlib import Path

import pytest

from dlexp.build.components import Components
from dlexp.build.dataset import load_data
from dlexp.config.resolve import resolve
from dlexp.execution.assignment import Assignment, Group
from dlexp.execution.fusion import SOLO, Choice
from dlexp.execution.plan.weight import BACKWARD, RATE, UPDATE_SECONDS, largest_first, seconds


def trial(tmp_path: Path, name: str, *overrides: str) -> Assignment:
    config = resolve(["tracking=none", "data.limit=100", *overrides]).config
    return Assignment(config, tmp_path / name, "trial", built=Components(config, load_data(config)))


def order(groups: list[Group], num_workers: int = 2) -> list[str]:
    return [group.assignments[0].path.name for group in largest_first(groups, num_workers)]


def test_more_epochs_first_and_equal_ones_as_they_come(tmp_path):
    epochs = {"a": 2, "b": 9, "c": 2, "d": 30}
    groups = [Group([trial(tmp_path, n, f"trainer.epochs={e}")], SOLO, 1) for n, e in epochs.items()]
    assert order(groups) == ["d", "b", "a", "c"]
    assert order(groups, 1) == order(groups, 4) == list("abcd"), "it does not matter"
    together = Group(groups[1].assignments * 4, Choice("batched", 4, 2.0, ""), 1)  # 4 * 9 epochs, twice as fast
    assert [len(group.assignments) for group in largest_first([together, *groups], 2)] == [1, 4, 1, 1, 1]


def test_larger_models_first(tmp_path):
    widths = {"small": "[8]", "large": "[512,512]", "middle": "[128]"}
    groups = [Group([trial(tmp_path, n, f"model.widths={w}")], SOLO, 1) for n, w in widths.items()]
    assert order(groups) == ["large", "middle", "small"]


def test_the_formula(tmp_path):
    # digits, 100 examples in batches of 32: 4 updates an epoch
    assignment = trial(tmp_path, "a", "trainer.epochs=3", "trainer.batch_size=32")
    expected = 3 * 4 * (UPDATE_SECONDS + BACKWARD * 32 * 1000 / RATE)
    assert seconds(assignment, lambda _components: 1000) == pytest.approx(expected)
