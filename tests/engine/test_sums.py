"""What an epoch adds up."""

import torch

from dlexp.engine.sums import PENDING_BATCHES, Sums, count_correct
from dlexp.engine.task import Batch


def test_counts_right_answers_of_each_trial():
    outputs = torch.tensor([[[2.0, 1.0], [0.0, 3.0]], [[0.0, 1.0], [5.0, 3.0]]])  # (T=2, N=2, K=2)
    targets = torch.tensor([[0, 1], [0, 1]])
    assert count_correct(outputs, targets).tolist() == [2, 0]


def test_one_output_is_the_logit_of_the_second_class():
    assert count_correct(torch.tensor([[[0.3], [-0.2], [1.0]]]), torch.tensor([[1, 0, 0]])).tolist() == [2]


def test_mixed_targets_count_their_largest_share():
    outputs = torch.tensor([[[2.0, 1.0], [0.0, 3.0]]])
    assert count_correct(outputs, torch.tensor([[[0.7, 0.3], [0.6, 0.4]]])).tolist() == [1]


def test_sums_do_not_depend_on_when_they_are_read():
    generator = torch.Generator().manual_seed(0)
    batches = [
        (
            torch.rand(1, generator=generator),
            torch.randn(1, 5, 3, generator=generator),
            torch.randint(3, (1, 5), generator=generator),
        )
        for _ in range(2 * PENDING_BATCHES + 3)
    ]
    often, once = Sums.zero(torch.zeros(1)), Sums.zero(torch.zeros(1))
    for loss, outputs, targets in batches:
        part = Batch(None, True, outputs, targets)
        often.add(loss, outputs, part)
        once.add(loss, outputs, part)
        state, often = often.state(0), Sums.zero(torch.zeros(1))
        often.load(0, state)
    assert often.mean_loss() == once.mean_loss()
    assert often.accuracy() == once.accuracy()
    right = sum(int((outputs.argmax(-1) == targets).sum()) for _, outputs, targets in batches)
    assert once.accuracy() == [right / (5 * len(batches))]


def test_values_have_no_right_answers():
    sums = Sums.zero(torch.zeros(1), has_accuracy=False)
    sums.add(torch.tensor([0.5]), torch.zeros(1, 4, 1), Batch(None, True, torch.zeros(4, 2), torch.zeros(1, 4)))
    assert (sums.mean_loss(), sums.accuracy()) == ([0.5], [0.0])


def test_mixed_targets_of_two_classes_are_counted_for_one_output():
    sums = Sums.zero(torch.zeros(1))
    targets = torch.tensor([[[0.7, 0.3], [0.4, 0.6], [0.2, 0.8], [0.9, 0.1]]])
    sums.add(
        torch.zeros(1), torch.tensor([[[-1.0], [2.0], [-3.0], [-0.5]]]), Batch(None, True, torch.zeros(4), targets)
    )
    assert sums.accuracy() == [0.75]


def test_of_large_batches_nothing_waits():
    """Small tensors that wait lie between large ones in the heap: an epoch then takes as much memory as its inputs."""
    sums, batch = Sums.zero(torch.zeros(1)), Batch(None, True, torch.zeros(1, 4, 1 << 18), torch.zeros(1, 4).long())
    sums.add(torch.zeros(1), torch.tensor([[[1.0, 0.0]] * 4]), batch)
    assert sums.correct.tolist() == [4]
