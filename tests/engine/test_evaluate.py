"""Outputs of a part, and their metrics."""

from contextlib import nullcontext
from typing import Any, cast

import pytest
import torch

from dlexp.build.program import assemble
from dlexp.config.resolve import resolve
from dlexp.engine.answer.answer import Reading
from dlexp.engine.answer.classes import Classes
from dlexp.engine.answer.values import Values
from dlexp.engine.evaluate import predict, score, score_trials
from dlexp.loss import BCE, MSE, CrossEntropy, Hinge
from tests.pretended.device import pretend


def test_batches_of_evaluation_change_nothing_and_the_mode_is_training_afterwards():
    built = assemble(resolve(["data.limit=100", "tracking=none", "model.widths=[8]"]).config)
    run, task = built.run, built.run.task
    whole = predict(run.step.forward, task, task.val, 10_000)
    pieces = predict(run.step.forward, task, task.val, 7)
    torch.testing.assert_close(whole, pieces)
    assert whole.shape == (1, len(task.val[0]), 10)
    assert all(module.training for module in built.model.modules())


def test_a_batch_without_room_is_halved_until_it_fits(monkeypatch):
    built = assemble(resolve(["data.limit=100", "tracking=none", "model.widths=[8]"]).config)
    run, task = built.run, built.run.task
    expected = predict(run.step.forward, task, task.val, 16)
    sizes, prepare = [], type(task).prepare

    def prepare_few(self: Any, x: torch.Tensor, rows: list[int] | None) -> torch.Tensor:
        sizes.append(len(x))
        if sizes[-1] > 20:
            raise torch.OutOfMemoryError("tried to allocate")
        return prepare(self, x, rows)

    monkeypatch.setattr(type(task), "prepare", prepare_few)
    assert torch.equal(predict(run.step.forward, task, task.val, 64), expected)
    assert sizes[:3] == [64, 32, 16]


@pytest.mark.parametrize("loss", ["cross_entropy", "bce", "hinge"])
def test_folds_of_different_lengths_are_scored_as_each_alone_to_the_bit(loss):
    run = assemble(resolve(["data.limit=100", "tracking=none", "model.widths=[8]", f"loss={loss}"]).config).run
    rows, rules = run.task.val[0], run.step.rules
    parts = [rows[:60], rows[:61], rows[1:61], rows[5:38], rows[:61]]
    outputs = torch.randn(len(parts), 61, 10, generator=torch.Generator().manual_seed(0)) * 3
    together = score_trials(outputs, run.task, parts, rules.loss, "roc_auc")
    for row, part in enumerate(parts):
        alone = score_trials(outputs[row : row + 1, : len(part)], run.task, [part], rules.loss, "roc_auc")
        assert {name: values[row] for name, values in together.items()} == {name: v for name, (v,) in alone.items()}


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_program_that_had_no_room_once_does_not_ask_for_it_again(monkeypatch, device):
    with pretend() if device == "cuda" else nullcontext():
        _have_no_room_in_the_second_evaluation(monkeypatch, device)


def _have_no_room_in_the_second_evaluation(monkeypatch: pytest.MonkeyPatch, device: str) -> None:
    words = ["data.limit=100", "tracking=none", "model.widths=[8]", f"trainer.device={device}"]
    configs = [resolve([*words, f"seed={seed}"]).config for seed in (0, 1)]
    run, other = (assemble(config).run for config in configs)
    expected = predict(run.step.forward, run.task, run.task.val, 16)
    sizes, evaluations, prepare = [], [0], type(run.task).prepare

    def prepare_in_a_full_memory(self: Any, x: torch.Tensor, rows: list[int] | None) -> torch.Tensor:
        sizes.append(len(x))
        if evaluations[0] == 2 and len(x) > 20:
            raise RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory")
        return prepare(self, x, rows)

    monkeypatch.setattr(type(run.task), "prepare", prepare_in_a_full_memory)
    largest = []
    for evaluations[0] in (1, 2, 3):
        sizes.clear()
        outputs = predict(run.step.forward, run.task, run.task.val, 64)
        largest.append(max(sizes))
        torch.testing.assert_close(outputs.cpu(), expected.cpu())
    assert largest == [64, 64, 16]
    sizes.clear()
    predict(other.step.forward, other.task, other.task.val, 64)
    assert max(sizes) == 64


def test_another_error_of_evaluation_is_raised(monkeypatch):
    built = assemble(resolve(["data.limit=100", "tracking=none", "model.widths=[8]"]).config)

    def fail(*_arguments: Any) -> torch.Tensor:
        raise RuntimeError("another")

    monkeypatch.setattr(type(built.run.task), "prepare", fail)
    with pytest.raises(RuntimeError, match="another"):
        predict(built.run.step.forward, built.run.task, built.run.task.val, 64)


def test_classes_and_values_get_their_metrics():
    outputs = torch.tensor([[[2.0, 0.0], [0.0, 2.0]]])
    scores = score(outputs, torch.tensor([[0, 0]]), Reading(CrossEntropy(num_classes=2), Classes(2)))
    assert float(scores["accuracy"]) == 0.5
    reading = Reading(MSE(task="regression"), Values())
    values = score(torch.tensor([[[1.0], [3.0]]]), torch.tensor([[0.0, 3.0]]), reading)
    assert float(values["mse"]) == 0.5


LOGITS = torch.randn(2, 50, 3, generator=torch.Generator().manual_seed(2))
CLASSES = torch.randint(0, 3, (2, 50), generator=torch.Generator().manual_seed(3))
PER_TRIAL = cast(Any, torch.tensor([[0.0], [0.3]]))


@pytest.mark.parametrize(
    "loss",
    [
        CrossEntropy(num_classes=3),
        CrossEntropy(0.1, lse_penalty=0.01, num_classes=3),
        BCE(2.0, 0.5, task="multiclass", num_classes=3),
        Hinge(num_classes=3),
    ],
    ids=["plain", "smoothed", "bce", "hinge"],
)
def test_the_error_of_the_loss_is_that_of_the_mean_over_examples(loss):
    scores = score(LOGITS, CLASSES, Reading(loss, Classes(3)))
    each_TN = torch.tensor(
        [[float(loss(LOGITS[t, n][None, None], CLASSES[t, n][None, None])) for n in range(50)] for t in range(2)]
    )
    assert torch.equal(scores["loss"], loss(LOGITS, CLASSES))
    torch.testing.assert_close(each_TN.mean(1), scores["loss"], rtol=1e-5, atol=0)
    torch.testing.assert_close(scores["loss_se"].float(), each_TN.std(1) / 50**0.5, rtol=1e-5, atol=0)


@pytest.mark.parametrize(
    "loss",
    [
        CrossEntropy(num_classes=3),
        CrossEntropy(class_weight=[1.0, 2.0, 0.5], num_classes=3),
        CrossEntropy(PER_TRIAL, num_classes=3),
        CrossEntropy(class_weight=[PER_TRIAL + 1, PER_TRIAL + 2, 1 - PER_TRIAL], num_classes=3),
    ],
    ids=["plain", "weighted", "per trial", "weights per trial"],
)
def test_a_trial_in_a_stack_has_the_error_of_its_loss_that_it_has_alone(loss):
    together = score(LOGITS, CLASSES, Reading(loss, Classes(3)))["loss_se"]
    reading = Reading(loss, Classes(3))
    for row in range(2):
        alone = score(LOGITS[row : row + 1], CLASSES[row : row + 1], reading.keep([row], 2))["loss_se"]
        assert torch.equal(alone, together[row : row + 1])


class Correlation:
    """A user's loss that is no mean over examples."""

    num_outputs = 3

    def __call__(self, outputs_TNK, targets_TN):
        if outputs_TNK.shape[1] < 2:
            raise ValueError("two examples are needed")
        return outputs_TNK.std(1).mean(-1)


def test_a_loss_that_is_no_mean_over_examples_has_no_error():
    assert score(LOGITS, CLASSES, Reading(Correlation(), Classes(3)))["loss_se"].isnan().all()
