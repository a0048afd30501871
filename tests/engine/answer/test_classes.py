"""Classes: scores by counting, and records from which they are recomputed."""

import math

import torch

from dlexp.engine.answer.classes import Classes
from dlexp.loss import CrossEntropy

OUTPUTS = torch.tensor([[2.0, 0.0, 1.0], [0.0, 3.0, 0.0], [1.0, 0.0, 0.0]])
TARGETS = torch.tensor([0, 1, 2])


def test_accuracy_is_the_share_of_right_answers():
    scores = Classes(3).scores(OUTPUTS[None], TARGETS[None], "softmax")
    assert float(scores["accuracy"]) == 2 / 3
    report = Classes(3).report(OUTPUTS[None], TARGETS[None], "softmax", 2.0, 1.0)
    assert report["confusion"].tolist() == [[[1, 0, 0], [0, 1, 0], [1, 0, 0]]]


def test_records_are_bits_losses_or_nothing():
    answer, loss = Classes(3), CrossEntropy(num_classes=3)
    assert answer.by_example("accuracy", OUTPUTS, TARGETS, loss, "softmax").tolist() == [True, True, False]
    expected = [math.log(sum(map(math.exp, row))) - row[k] for row, k in zip(OUTPUTS.tolist(), [0, 1, 2], strict=True)]
    for name in ("loss", "log_loss"):
        each_N = answer.by_example(name, OUTPUTS, TARGETS, loss, "softmax")
        torch.testing.assert_close(each_N.double(), torch.tensor(expected, dtype=torch.float64), rtol=1e-6, atol=0)
    assert [answer.record_kind(name) for name in ("accuracy", "loss", "roc_auc")] == ["bits", "losses", None]
    assert answer.stored(OUTPUTS) is OUTPUTS
