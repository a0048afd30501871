"""The batches of an epoch: shared, stacked, or parted by length; augmentation and normalisation by trial."""

import torch

from dlexp.data.dataset import Dataset
from dlexp.data.feed import Resident
from dlexp.engine.answer.classes import Classes
from dlexp.engine.task import Batch, Task, TrialSeeds, are_equal, epoch_batches, gather
from dlexp.engine.trainer import Trainer
from dlexp.normalize import Affine

TWO = Classes(2)


def seeds(order: int) -> TrialSeeds:
    return TrialSeeds(0, order, 0, 0)


def make(train: list[torch.Tensor], affine: Affine | None = None) -> Task:
    inputs = torch.arange(60, dtype=torch.float32).view(20, 3)
    val = torch.arange(15, 20)
    data = Dataset("toy", "multiclass", inputs, torch.arange(20) % 2, train[0], val, val[:0], ["a", "b"])
    return Task(Resident(data, "cpu"), affine, [None] * len(train), train, [val] * len(train), data.targets, TWO, False)


def test_trials_with_equal_orders_share_a_batch_and_others_do_not():
    rows = torch.arange(15)
    trainer = Trainer(batch_size=4)
    shared = epoch_batches(make([rows, rows]), trainer, [seeds(1), seeds(1)], 0)
    assert [part.is_shared for parts in shared for part in parts] == [True] * 4
    apart = epoch_batches(make([rows, rows]), trainer, [seeds(1), seeds(2)], 0)
    assert [tuple(part.x.shape) for parts in apart for part in parts] == [(2, 4), (2, 4), (2, 4), (2, 3)]
    for trial in (0, 1):
        seen = torch.cat([part.x[trial] for parts in apart for part in parts])
        assert torch.equal(seen.sort().values, rows)


def test_last_batches_of_unequal_length_are_parted():
    task = make([torch.arange(11), torch.arange(2, 12), torch.arange(4, 15)])
    last = epoch_batches(task, Trainer(batch_size=4), [seeds(0)] * 3, 0)[-1]
    assert [(part.rows, tuple(part.x.shape)) for part in last] == [([0, 2], (2, 3)), ([1], (1, 2))]


def test_gathered_parts_hold_the_rows_inputs_and_targets():
    task = make([torch.arange(8), torch.arange(4, 12)])
    batches = epoch_batches(task, Trainer(batch_size=4), [seeds(0)] * 2, 0)
    for rows, parts in zip(batches, gather(task.feed, batches), strict=True):
        for row, part in zip(rows, parts, strict=True):
            assert torch.equal(part.x[..., 0], 3.0 * row.x)
            assert torch.equal(part.targets, row.x % 2)


def test_each_trial_has_its_own_normalisation_also_in_a_part():
    affine = Affine(torch.tensor([[1.0] * 3, [2.0] * 3, [3.0] * 3]), torch.zeros(3, 3))
    task = make([torch.arange(8)] * 3, affine)
    x = torch.ones(2, 4, 3)
    prepared = task.prepare_training(Batch([0, 2], False, x, torch.zeros(2, 4)), [seeds(0)] * 3, 0)
    assert prepared.x[:, 0, 0].tolist() == [1.0, 3.0]
    assert task.keep([1]).prepare(x[:1])[0, 0, 0] == 2.0


def test_equality_of_parts():
    assert are_equal([torch.arange(3), torch.arange(3)])
    assert not are_equal([torch.arange(3), torch.arange(4)])
