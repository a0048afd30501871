"""Folds that draw pairs of their own share one table in a program."""

import torch

from dlexp.data.pair.draw import Pairs
from dlexp.data.pair.share import share_pairs
from tests.data.pair.test_draw import examples


def test_every_fold_finds_its_pairs_in_the_table_of_all():
    data = Pairs(train=20, held_out=10).draw(examples(), 0)
    folds = [data.with_parts(data.dealt.train, data.dealt.val), data.with_parts(data.dealt.val, data.dealt.train)]
    together, rows = share_pairs([folds[0], folds[1], folds[0]])
    assert together.pairs is not None
    for fold, (train, val) in zip([folds[0], folds[1], folds[0]], rows, strict=True):
        assert fold.pairs is not None
        assert torch.equal(together.pairs[train], fold.pairs[fold.train])
        assert torch.equal(together.pairs[val], fold.pairs[fold.val])
        assert torch.equal(together.targets[val], fold.targets[fold.val])
    assert torch.equal(rows[0][0], rows[2][0])
    assert not torch.equal(rows[0][0], rows[1][0])  # their normalisations differ


def test_other_data_and_one_table_stay_as_they_are():
    data = examples()
    together, rows = share_pairs([data, data.with_parts(data.val, data.train)])
    assert together is data
    assert torch.equal(rows[1][0], data.val)
    drawn = Pairs(train=20, held_out=10).draw(data, 0)
    assert share_pairs([drawn, drawn])[0] is drawn
