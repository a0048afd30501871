"""Folds partition what is not test, keep class shares and groups, and depend on nothing but data and seed."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dlexp.data.dataset import Dataset
from dlexp.data.digits import Digits
from dlexp.data.fold import KFold, LeaveOneOut, Nested, Rolling
from dlexp.data.table import Table
from dlexp.error import ConfigError, DataError


def made_up(targets: torch.Tensor, num_test: int = 0, groups: torch.Tensor | None = None) -> Dataset:
    num, names = len(targets), [] if targets.is_floating_point() else [str(k) for k in range(int(targets.max()) + 1)]
    order = torch.arange(num)
    parts = order[num_test + 3 :], order[num_test : num_test + 3], order[:num_test]
    return Dataset("made-up", "multiclass", torch.rand(num, 2), targets, *parts, class_names=names, groups=groups)


@settings(max_examples=40, deadline=None)
@given(st.integers(12, 90), st.integers(2, 6), st.integers(1, 3), st.integers(0, 5), st.booleans())
def test_every_repeat_partitions_what_is_not_test(num, k, repeats, num_test, stratify):
    data = made_up(torch.arange(num) % 3, num_test)
    folds = KFold(k, repeats, stratify).folds(data, 7)
    assert [(fold.repeat, fold.fold) for fold in folds] == [(r, f) for r in range(repeats) for f in range(k)]
    pool = torch.arange(num_test, num)
    for repeat in range(repeats):
        held_out = torch.cat([fold.val for fold in folds if fold.repeat == repeat])
        assert held_out.sort().values.equal(pool)
    for fold in folds:
        assert torch.cat([fold.train, fold.val]).sort().values.equal(pool)
        assert len(pool) // k <= len(fold.val) <= -(-len(pool) // k)


def test_class_shares_within_one_of_equal():
    data = made_up(torch.tensor([0] * 50 + [1] * 23 + [2] * 9)[torch.randperm(82)])
    for fold in KFold(5).folds(data, 0):
        counts = torch.bincount(data.targets[fold.val], minlength=3).tolist()
        assert counts[0] == 10
        assert counts[1] in (4, 5)
        assert counts[2] in (1, 2)


def test_repeats_and_seeds_differ_but_nothing_else_matters():
    data = Digits().load()
    folds, again = KFold(5, 2).folds(data, 0), KFold(5, 2).folds(data, 0)
    assert all(a.val.equal(b.val) for a, b in zip(folds, again, strict=True))
    assert not folds[0].val.equal(folds[5].val)
    assert not folds[0].val.equal(KFold(5).folds(data, 1)[0].val)
    # the validation part of a run is dealt like the rest, so its choice does not matter
    moved = replace(data, train=data.train[100:], val=torch.cat([data.val, data.train[:100]]))
    assert folds[0].val.equal(KFold(5).folds(moved, 0)[0].val)
    assert not np.intersect1d(torch.cat([fold.val for fold in folds]), data.test).size


def test_groups_stay_together_and_folds_stay_even():
    draw = torch.Generator().manual_seed(3)
    groups = torch.randint(40, (400,), generator=draw)
    targets = (torch.rand(400, generator=draw) < 0.3 + 0.01 * groups).long()
    folds = KFold(5).folds(made_up(targets, groups=groups), 0)
    for fold in folds:
        assert not np.intersect1d(groups[fold.train], groups[fold.val]).size
        assert 55 < len(fold.val) < 105
        assert abs(float(targets[fold.val].float().mean() - targets.float().mean())) < 0.1
    strangers = KFold(5, groups=False).folds(made_up(targets, groups=groups), 0)
    assert np.intersect1d(groups[strangers[0].train], groups[strangers[0].val]).size


def test_as_many_folds_as_groups_holds_out_one_each():
    groups = torch.arange(60) % 6
    folds = KFold(6).folds(made_up(torch.arange(60) % 2, groups=groups), 0)
    assert sorted(int(groups[fold.val].unique()) for fold in folds) == list(range(6))


def test_leave_one_out_and_leave_one_group_out():
    data = made_up(torch.rand(20), num_test=4)
    folds = LeaveOneOut().folds(data, 0)
    assert [fold.val.tolist() for fold in folds] == [[row] for row in range(4, 20)]
    grouped = LeaveOneOut().folds(made_up(torch.rand(20), groups=torch.arange(20) // 5), 0)
    assert [len(fold.val) for fold in grouped] == [5] * 4


def test_refusals():
    with pytest.raises(ConfigError, match="got 30; at most the 12"):
        KFold(30).folds(made_up(torch.arange(12) % 2), 0)
    with pytest.raises(DataError, match="3 groups"):
        KFold(5).folds(made_up(torch.arange(12) % 2, groups=torch.arange(12) % 3), 0)
    with pytest.raises(DataError, match="class 1 with one example"):
        KFold(2).folds(made_up(torch.tensor([0] * 11 + [1])), 0)
    with pytest.raises(ConfigError, match="use cv=kfold"):
        LeaveOneOut().folds(made_up(torch.arange(2000) % 2), 0)


def test_a_folds_categories_are_those_of_its_training_part(tmp_path):
    path = tmp_path / "t.csv"
    rows = [f"{i},{'abc'[i % 3] if i else 'rare'},g{i % 7},{i % 2}" for i in range(60)]
    path.write_text("\n".join(["x,kind,part,y", *rows]))
    data = Table(path=str(path), target="y", group="part", test_fraction=0.0).load()
    assert data.groups is not None
    for fold in KFold(3).folds(data, 0):
        part = data.with_parts(fold.train, fold.val)
        assert part.encoding is not None
        assert part.feature_names is not None
        levels = next(f["levels"] for f in part.encoding["features"] if f["name"] == "kind")
        assert levels == (["a", "b", "c", "rare"] if 0 in fold.train else ["a", "b", "c"])
        assert part.inputs.shape[1] == 1 + len(levels) == len(part.feature_names)
        assert part.fingerprint == data.fingerprint


@settings(max_examples=20, deadline=None)
@given(st.integers(30, 90), st.integers(2, 4), st.integers(2, 4), st.booleans())
def test_inner_folds_partition_the_outer_training_part(num, k, inner_k, is_grouped):
    groups = torch.arange(num) // 3 if is_grouped else None
    data = made_up(torch.arange(num) % 2, 4, groups)
    option = Nested(k, 2, inner_k=inner_k)
    outer = option.folds(data, 1)
    plain = KFold(k, 2).folds(data, 1)
    assert all(a.val.equal(b.val) for a, b in zip(outer, plain, strict=True))
    for fold in outer:
        inner = option.inner(data, fold, 1)
        assert len(inner) == inner_k
        assert torch.cat([each.val for each in inner]).sort().values.equal(fold.train)
        for each in inner:
            assert torch.cat([each.train, each.val]).sort().values.equal(fold.train)
            assert groups is None or not np.intersect1d(groups[each.train], groups[each.val]).size
    again = option.inner(data, outer[0], 1)
    assert all(a.val.equal(b.val) for a, b in zip(again, option.inner(data, outer[0], 1), strict=True))


def timed(times, groups=None):
    train, val, test = torch.arange(len(times)).split([len(times) - 4, 2, 2])
    return Dataset(
        "x",
        "regression",
        torch.zeros(len(times), 1),
        torch.zeros(len(times)),
        train,
        val,
        test,
        times=torch.as_tensor(times),
        groups=groups,
    )


@given(st.integers(0, 10**6), st.integers(20, 90), st.integers(2, 5), st.integers(0, 2))
@settings(max_examples=40, deadline=None)
def test_rolling_trains_on_the_past(seed, num, k, gap):
    assume((num - 2) // 2 // (k + 1) > gap)  # a first block without a moment before the gap is refused
    times = torch.randperm(num, generator=torch.Generator().manual_seed(seed)) // 2
    folds = Rolling(k, gap).folds(timed(times), 0)
    assert len(folds) == k
    held_out = torch.cat([fold.val for fold in folds])
    assert len(held_out.unique()) == len(held_out)
    for fold in folds:
        assert len(fold.train)
        assert len(fold.val)
        between = times[:-2].unique()
        start = between.tolist().index(int(times[fold.val].min()))
        assert times[fold.train].max() == between[start - 1 - gap]
    assert times[folds[-1].val].max() == times[:-2].max()


def test_rolling_blocks_are_nearly_equal():
    folds = Rolling(3).folds(timed(torch.arange(42)), 0)
    assert [(len(fold.train), len(fold.val)) for fold in folds] == [(10, 10), (20, 10), (30, 10)]
    assert [(len(fold.train), len(fold.val)) for fold in Rolling(3, 2).folds(timed(torch.arange(42)), 0)] == [
        (8, 10),
        (18, 10),
        (28, 10),
    ]


def test_rolling_refusals():
    with pytest.raises(ConfigError, match=r"cv: got rolling; it needs times: set data.time"):
        Rolling().folds(replace(timed(torch.arange(42)), times=None), 0)
    with pytest.raises(ConfigError, match=r"cv: got rolling with data.group"):
        Rolling().folds(timed(torch.arange(42), groups=torch.arange(42)), 0)
    with pytest.raises(DataError, match=r"cv.k: got 5 with cv.gap 0; 3 different moments give at most 2 folds"):
        Rolling().folds(timed(torch.arange(42) % 3), 0)
    with pytest.raises(ConfigError, match=r"cv.gap: got 7; the first block has 7 moments, one must be left"):
        Rolling(5, 7).folds(timed(torch.arange(42)), 0)


def test_folds_that_no_memory_has_room_for_are_refused_before_they_are_dealt(monkeypatch):
    monkeypatch.setattr("dlexp.device.free_bytes", lambda _device: 2**30)
    data = made_up(torch.arange(1000) % 3)
    with pytest.raises(ConfigError, match=r"^cv: got 1,000,000 folds of 1,000 examples, which need 7.5 GiB; 1.0 GiB"):
        KFold(k=100, repeats=10_000).folds(data, 0)
