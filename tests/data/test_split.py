import itertools

import hypothesis
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dlexp.data.split import Split, ValSplit, allocate, take
from dlexp.error import ConfigError, DataError
from dlexp.number import noun


def classes_of(sizes, seed=0):
    labels = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    return labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))]


sizes_of_classes = st.lists(st.integers(5, 60), min_size=2, max_size=6)


@given(sizes_of_classes, st.floats(0.05, 0.4), st.floats(0, 0.4), st.integers(0, 9), st.booleans())
def test_parts_partition_the_examples(sizes, val_fraction, test_fraction, seed, stratify):
    targets = classes_of(sizes)
    split = Split(val_fraction=val_fraction, test_fraction=test_fraction, split_seed=seed, stratify=stratify)
    parts = split.divide(targets)
    assert torch.cat(parts).sort().values.equal(torch.arange(len(targets)))
    assert all(part.equal(part.sort().values) for part in parts)
    assert len(parts[1]) == max(1, round(val_fraction * len(targets)))
    assert all(a.equal(b) for a, b in zip(parts, split.divide(targets), strict=True))


@given(sizes_of_classes, st.floats(0.05, 0.4), st.integers(0, 9))
def test_stratified_share_is_within_one_of_proportion(sizes, fraction, seed):
    targets = classes_of(sizes)
    _, val, _ = ValSplit(val_fraction=fraction, split_seed=seed).divide(targets)
    for k, size in enumerate(sizes):
        assert abs(int((targets[val] == k).sum()) - size * len(val) / len(targets)) < 1


@given(sizes_of_classes, st.integers(6, 40), st.integers(6, 40))
def test_limit_leaves_validation_alone_and_nests(sizes, low, high):
    targets = classes_of(sizes)
    low, high = sorted((low, high))
    full, few, more = (Split(limit=limit).divide(targets) for limit in (None, low, high))
    assert full[1].equal(few[1])
    assert full[2].equal(few[2])
    assert len(few[0]) == min(low, len(full[0]))
    assert set(few[0].tolist()) <= set(more[0].tolist()) <= set(full[0].tolist())


def test_thinned_classes_keep_their_shares():
    targets = classes_of([300, 100, 100])
    thinned = Split(limit=50).thin(torch.arange(500), targets)
    assert torch.bincount(targets[thinned]).tolist() == [30, 10, 10]


@given(st.lists(st.integers(1, 300), min_size=2, max_size=8), st.integers(0, 40), st.booleans())
def test_a_limit_leaves_every_class_and_nests(sizes, more, stratify):
    targets = classes_of(sizes)
    low = Split(limit=len(sizes), stratify=stratify).thin(torch.arange(len(targets)), targets)
    high = Split(limit=len(sizes) + more, stratify=stratify).thin(torch.arange(len(targets)), targets)
    assert sorted(targets[low].tolist()) == list(range(len(sizes)))
    assert set(low.tolist()) <= set(high.tolist())
    assert len(high) == min(len(sizes) + more, len(targets))


def test_fewer_examples_than_classes_are_refused():
    with pytest.raises(ConfigError, match=r"data\.limit: got 2; the 3 classes need an example each"):
        Split(limit=2).divide(torch.arange(60) % 3)


def test_values_are_thinned_without_regard_to_what_they_are():
    assert len(Split(limit=2).divide(torch.linspace(0, 1, 60))[0]) == 2


def test_seeds_differ():
    targets = classes_of([50, 50])
    assert not ValSplit(split_seed=0).divide(targets)[1].equal(ValSplit(split_seed=1).divide(targets)[1])


def test_unstratified_split_ignores_classes():
    targets = classes_of([990, 10])
    counts = {int((targets[ValSplit(stratify=False, split_seed=s).divide(targets)[1]] == 1).sum()) for s in range(20)}
    assert len(counts) > 2


def test_count_is_exact():
    _, val, test = Split(val_count=7, test_count=5).divide(torch.arange(40) % 2)
    assert (len(val), len(test)) == (7, 5)


def test_official_parts_are_kept():
    targets = torch.arange(30) % 2
    train, val, test = Split().divide(targets, val=torch.arange(10, 15), test=torch.arange(20, 30))
    assert val.tolist() == list(range(10, 15))
    assert test.tolist() == list(range(20, 30))
    assert train.tolist() == [*range(10), *range(15, 20)]


@given(st.lists(st.integers(0, 9), min_size=40, max_size=60), st.integers(0, 5))
def test_groups_are_never_divided(groups, seed):
    groups = torch.tensor([*groups, 0, 1, 2])
    parts = Split(split_seed=seed).divide(torch.zeros(len(groups)), groups=groups)
    names = [set(groups[part].tolist()) for part in parts]
    assert all(names)
    assert not names[0] & (names[1] | names[2])
    assert not names[1] & names[2]
    assert sum(map(len, parts)) == len(groups)


def test_too_few_groups():
    with pytest.raises(DataError, match="got 2 groups; 3 are needed"):
        Split().divide(torch.zeros(10), groups=torch.arange(10) % 2)


def test_time_order():
    times = torch.randperm(50, generator=torch.Generator().manual_seed(0))
    train, val, test = Split().divide(torch.zeros(50), times=times)
    assert times[train].max() < times[val].min()
    assert times[val].max() < times[test].min()
    assert (len(val), len(test)) == (10, 10)


def test_allocation_by_largest_remainder():
    draw = torch.Generator().manual_seed(0)
    # Quotas of 10 places over sizes 6, 13, 21: 1.5, 3.25, 5.25.
    assert allocate(torch.tensor([6, 13, 21]), 10, draw).tolist() == [2, 3, 5]


def test_every_class_keeps_one_for_training():
    targets = classes_of([2, 2, 2])
    chosen, rest = take(torch.arange(6), 3, targets, torch.Generator().manual_seed(0))
    assert torch.bincount(targets[rest]).tolist() == [1, 1, 1]
    assert len(chosen) == 3
    with pytest.raises(DataError, match="every class must keep one"):
        take(torch.arange(6), 4, targets, torch.Generator().manual_seed(0))


def test_class_with_one_example():
    with pytest.raises(DataError, match=r"class oak with one example.*data.stratify=false"):
        ValSplit().divide(torch.tensor([0, 0, 0, 1, 2, 2]), class_names=["ash", "oak", "elm"])
    assert len(ValSplit(stratify=False).divide(torch.tensor([0, 0, 0, 1, 2, 2]))[1]) == 1


def test_first_ten_of_many_classes():
    with pytest.raises(DataError, match=r"classes 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 5 more"):
        ValSplit().divide(torch.arange(15))


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"val_count": 40}, "data.val_count"),
        ({"test_count": 99}, "data.test_count"),
        ({"val_fraction": 0.6, "test_fraction": 0.5}, "data.val_count"),
    ],
)
def test_more_than_there_are(settings, key):
    with pytest.raises(ConfigError, match=key):
        Split(**settings).divide(torch.arange(40) % 2)


def test_a_moment_is_never_divided():
    times = torch.arange(60) // 7
    notes = []
    train, val, test = Split().divide(torch.zeros(60), times=times, notes=notes)
    # 36 / 12 / 12 wanted: the next changes after 36 and 48 are at 42 and 49
    assert (len(train), len(val), len(test)) == (42, 7, 11)
    assert notes == ["data.time: 7 validation and 11 test examples instead of 12 and 12: a moment is never divided"]
    quiet = []
    Split().divide(torch.zeros(60), times=torch.arange(60), notes=quiet)
    assert not quiet


@pytest.mark.parametrize("num", [1, 2])
def test_too_few_moments(num):
    with pytest.raises(DataError, match=f"split by time: got {num} different moments; 3 are needed"):
        Split().divide(torch.zeros(60), times=torch.arange(60) % num)


def test_late_moments_that_are_large_leave_every_part_a_moment():
    times = torch.tensor([0] * 2 + [1] * 50 + [2] * 8)
    assert [len(part) for part in Split().divide(torch.zeros(60), times=times)] == [2, 50, 8]


@given(st.integers(0, 10**6), st.integers(12, 80))
@hypothesis.settings(max_examples=40, deadline=None)
def test_groups_and_times_keep_both_promises(seed, num):
    draw = torch.Generator().manual_seed(seed)
    times = torch.randperm(num, generator=draw)
    groups = torch.randperm(num, generator=draw) % (num // 2)
    notes = []
    parts = Split().divide(torch.zeros(num), times=times, groups=groups, notes=notes)
    for earlier, later in itertools.combinations(parts, 2):
        assert times[earlier].max() < times[later].min()
        assert not set(groups[earlier].tolist()) & set(groups[later].tolist())
    left_out = num - sum(map(len, parts))
    assert bool(left_out) == any(f"{noun(left_out, 'row')} of later groups before" in note for note in notes)
