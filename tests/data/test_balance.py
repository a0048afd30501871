import torch

from dlexp.data.balance import is_imbalanced, oversample

TARGETS = torch.tensor([0] * 50 + [1] * 7 + [2] * 20)


def test_imbalance():
    assert is_imbalanced(TARGETS, 3)
    assert not is_imbalanced(torch.tensor([0] * 14 + [1] * 10), 2)
    assert is_imbalanced(torch.tensor([0, 1]), 3)


def test_oversampling_evens_out_and_shows_everything():
    train = torch.arange(0, 77, 1)[torch.randperm(77, generator=torch.Generator().manual_seed(1))][:70]
    rows = oversample(train, TARGETS, torch.Generator().manual_seed(0))
    most = int(torch.bincount(TARGETS[train]).max())
    assert torch.bincount(TARGETS[rows]).tolist() == [most] * 3
    times = torch.bincount(rows, minlength=77)
    assert set(rows.tolist()) == set(train.tolist())
    for k in range(3):
        seen = times[train[TARGETS[train] == k]]
        assert seen.max() - seen.min() <= 1
    again = oversample(train, TARGETS, torch.Generator().manual_seed(0))
    assert rows.equal(again)
    assert not rows.equal(oversample(train, TARGETS, torch.Generator().manual_seed(1)))
