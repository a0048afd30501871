"""Faults that are planted and healthy trainings are configurations that dlexp accepts."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.diagnose.__main__ import is_better, summed_up
from benchmarks.diagnose.case import ARCHITECTURES, FAULTS, healthy, overrides_of, write_pictures
from dlexp.build.dataset import load_data
from dlexp.config.resolve import resolve


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_accepted(fault):
    words = [text for text in overrides_of(fault, "mlp", 1) if not text.startswith("data=")]
    assert resolve(["tracking=none", *words]).config["seed"] == 1


def test_there_are_enough():
    assert len(FAULTS) >= 17
    assert len(ARCHITECTURES) == 3
    assert len({" ".join(words) for words in healthy(200)}) == 200


def test_better_is_a_paired_test():
    assert is_better([(0.1, 0.5), (0.2, 0.7), (0.1, 0.6)])
    assert is_better([(0.1, 0.5)] * 5)
    assert not is_better([(0.1, 0.5)])
    assert not is_better([(0.1, 0.5), (0.5, 0.1), (0.2, 0.2)])
    assert not is_better([(0.5, 0.1)] * 5)


def test_the_sum_counts_alarms_and_causes(tmp_path: Path):
    write_pictures(tmp_path, np.zeros((20, 4, 4), dtype=np.float32), np.arange(20) % 2)
    words = ["tracking=none", "data=arrays", f"data.path={tmp_path}/large.npz"]
    assert load_data(resolve(words).config).in_shape == (16,)
    faults = [("symmetric", 0.10, 0.8), ("symmetric", 0.12, 0.7), ("lr_small", 0.11, 0.75), (None, 0.1, None)]
    rows = [
        *({"kind": "base", "architecture": "mlp", "accuracy": value} for value in (0.8, 0.75, 0.77, 0.8)),
        *(
            {"kind": "fault", "fault": "zeros", "architecture": "mlp", "rule": rule, "override": "x"}
            | {"faulty": faulty, "cured": cured}
            for rule, faulty, cured in faults
        ),
        {"key": "healthy / 0", "kind": "healthy", "rules": ["dead"], "overrides": []},
        {"key": "healthy / 1", "kind": "healthy", "rules": [], "overrides": []},
        {"key": "alarm / 0", "kind": "alarm", "override": "x", "losses": [[0.5, 1.0], [0.4, 0.8]], "diverged": 1},
    ]
    total, row, alarm = summed_up(rows)
    assert (total["recall"], total["right_cause_first"], total["cure_rate"]) == (0.75, 0.5, 1.0)
    assert (total["false_alarms"], total["false_alarm_share"], alarm["alarm"]) == (1, 0.5, ["dead"])
    assert (alarm["loss"], alarm["cured_loss"], alarm["diverged"]) == (0.9, 0.45, 1)
    assert (row["is_harmful"], row["is_cured"], row["runs"]) == (True, True, 4)
