"""Values: errors in the target's own unit, and outputs kept whole."""

import torch

from dlexp.engine.answer.values import Values

OUTPUTS, TARGETS = torch.tensor([[1.0], [3.0], [5.0]]), torch.tensor([0.0, 3.0, 7.0])


def test_errors_are_in_the_unit_of_the_targets():
    scores = Values().scores(OUTPUTS[None], TARGETS[None], "softmax")
    assert float(scores["mse"]) == 5 / 3
    assert float(scores["mae"]) == 1.0
    report = Values().report(OUTPUTS[None], TARGETS[None], "softmax", 2.0, 1.0)
    assert float(report["median_error"]) == 1.0
    assert float(report["huber"]) == (0.5 + 0.0 + 1.5) / 3


def test_the_only_column_is_stored_and_recorded():
    answer = Values()
    assert answer.stored(OUTPUTS).tolist() == [1.0, 3.0, 5.0]
    assert answer.by_example("rmse", OUTPUTS, TARGETS, None, "softmax").tolist() == [1.0, 3.0, 5.0]
    assert answer.headline(is_single=True) == "mse"


def test_the_unit_is_that_of_the_training_rows():
    unit = Values().fit_unit(TARGETS, torch.tensor([1, 2]))
    assert (unit.mean.item(), unit.std.item()) == (5.0, 2.0)
