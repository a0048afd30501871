"""A fold's configuration: its own seed, its own part of the data, and no sender of its own."""

import torch

from dlexp.build.dataset import deal_folds, load_data
from dlexp.config.resolve import resolve
from dlexp.job.cv.fold_run import configure


def test_a_fold_can_be_loaded_by_its_configuration_alone():
    config = resolve(["data=wine", "cv.k=3", "cv.repeats=2"], job="cv").config
    data = load_data(config)
    folds = deal_folds(config, data)
    seeds = set()
    for fold in folds:
        fold_config = configure(config, fold)
        part = load_data(fold_config)
        assert torch.equal(part.train, fold.train)
        assert torch.equal(part.val, fold.val)
        assert torch.equal(part.test, data.test)
        assert fold_config["tracking"]["_target_"].endswith("NoTracking")
        assert fold_config == configure(config, fold)
        seeds.add(fold_config["seed"])
    assert len(seeds) == 6
    assert config["seed"] == 0
    assert "fold" not in config
    other = resolve(["data=wine", "cv.k=3", "cv.repeats=2", "seed=1"], job="cv").config
    assert configure(other, folds[0])["seed"] not in seeds


def test_other_settings_are_dealt_the_same_folds():
    first, other = (
        resolve(["data=wine", *more], job="cv").config for more in ([], ["model=softmax", "seed=3", "trainer.epochs=1"])
    )
    other["data"]["val_fraction"] = 0.3  # of an earlier version, which took the key in silence
    mine, theirs = (deal_folds(config, load_data(config)) for config in (first, other))
    assert all(torch.equal(a.val, b.val) for a, b in zip(mine, theirs, strict=True))
    moved = resolve(["data=wine", "data.split_seed=1"], job="cv").config
    assert not torch.equal(mine[0].val, deal_folds(moved, load_data(moved))[0].val)
