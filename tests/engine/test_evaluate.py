"""Outputs of a part, and their metrics."""

import torch

from dlexp.build.program import assemble
from dlexp.config.resolve import resolve
from dlexp.engine.evaluate import predict, score
from dlexp.loss import MSE, CrossEntropy


def test_batches_of_evaluation_change_nothing_and_the_mode_is_training_afterwards():
    run = assemble(resolve(["data.limit=100", "tracking=none", "model.widths=[8]"]).config).run
    task = run.task
    whole = predict(run.step.forward, task, task.val, 10_000)
    pieces = predict(run.step.forward, task, task.val, 7)
    torch.testing.assert_close(whole, pieces)
    assert whole.shape == (1, len(task.val[0]), 10)
    assert all(module.training for module in run.step.forward.model.modules())


def test_classes_and_values_get_their_metrics():
    outputs = torch.tensor([[[2.0, 0.0], [0.0, 2.0]]])
    found = score(outputs, torch.tensor([[0, 0]]), CrossEntropy(num_classes=2), 2)
    assert float(found["accuracy"]) == 0.5
    values = score(torch.tensor([[[1.0], [3.0]]]), torch.tensor([[0.0, 3.0]]), MSE(task="regression"), 0)
    assert float(values["mse"]) == 0.5
