import hashlib
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dlexp.data.dataset import Dataset, count_duplicates, fingerprint, require_finite
from dlexp.error import DataError, first_ten


def make(inputs, **more):
    num = len(inputs)
    parts: dict[str, Any] = {
        "train": torch.arange(num - 4),
        "val": torch.arange(num - 4, num - 2),
        "test": torch.arange(num - 2, num),
    }
    return Dataset("x", "binary", inputs, torch.arange(num) % 2, class_names=["a", "b"], **(parts | more))


def test_shapes():
    image = make(torch.zeros(8, 5, 6, 3, dtype=torch.uint8))
    assert image.is_image
    assert image.in_shape == (3, 5, 6)
    table = make(torch.zeros(8, 7))
    assert table.in_shape == (7,)
    assert table.num_classes == 2


def test_fingerprint_is_sha256_of_shape_type_and_content():
    inputs, targets = torch.arange(12.0).view(4, 3), torch.arange(4)
    digest = hashlib.sha256(b"(4, 3) torch.float32;" + inputs.numpy().tobytes())
    digest.update(b"(4,) torch.int64;" + targets.numpy().tobytes())
    assert fingerprint(inputs, targets) == digest.hexdigest()


def test_validated_on_says_which_examples_whatever_is_read_of_them():
    data = make(torch.zeros(8, 3))
    assert data.validated_on == make(torch.ones(8, 2), val=data.val.flip(0)).validated_on
    others: list[dict[str, Any]] = [
        {"val": torch.tensor([4])},
        {"val": torch.tensor([2, 3])},
        {"ids": [f"{row}.png" for row in range(8)]},
    ]
    digests = {make(torch.zeros(8, 3), **other).validated_on for other in others}
    assert len({data.validated_on, *digests}) == 4
    assert data.digest([data.val[:1], data.val[1:]]) != data.digest([data.val])


@pytest.mark.parametrize("change", ["value", "target", "shape", "type"])
def test_fingerprint_tells(change):
    inputs, targets = torch.zeros(4, 6), torch.zeros(4, dtype=torch.int64)
    before = fingerprint(inputs, targets)
    if change == "value":
        inputs[3, 5] = 1e-9
    elif change == "target":
        targets[2] = 1
    elif change == "shape":
        inputs = inputs.view(4, 2, 3)
    else:
        inputs = inputs.view(torch.int32)
    assert fingerprint(inputs, targets) != before


def test_fingerprint_reads_every_chunk():
    inputs = torch.zeros(3, 1 << 24, dtype=torch.uint8)
    before = fingerprint(inputs, torch.zeros(3))
    inputs[2, -1] = 1
    assert fingerprint(inputs, torch.zeros(3)) != before


def test_duplicates_are_counted_once_a_part():
    inputs = torch.randn(12, 4, generator=torch.Generator().manual_seed(0))
    inputs[8] = inputs[0]  # val repeats train
    inputs[10] = inputs[9]  # test repeats val
    inputs[11] = inputs[3]  # test repeats train
    inputs[1] = inputs[2]  # within a part: no leak
    assert count_duplicates(make(inputs)) == {"val": 1, "test": 2}


def test_sample_ids():
    assert make(torch.zeros(8, 2)).sample_ids(torch.tensor([3, 1])) == ["3", "1"]
    named = make(torch.zeros(8, 2), ids=list("abcdefgh"))
    assert named.sample_ids(torch.tensor([3, 1])) == ["d", "b"]


def test_fold_keeps_fingerprint():
    whole = make(torch.zeros(8, 2))
    fold = whole.with_parts(torch.tensor([0, 1]), torch.tensor([2]))
    assert fold.fingerprint == whole.fingerprint
    assert fold.val.tolist() == [2]


def test_numbers_that_are_not_finite():
    inputs = torch.zeros(30, 2, 2)
    inputs[4, 1, 0], inputs[7, 0, 0] = np.nan, np.inf
    with pytest.raises(DataError, match=r"^x.npz, rows 4, 7: got NaN or infinity"):
        require_finite("x.npz", inputs)
    require_finite("x.npz", torch.zeros(3, 2, dtype=torch.uint8))


def test_first_ten():
    assert first_ten("row", [3]) == "row 3"
    assert first_ten("row", [3, 4]) == "rows 3, 4"
    assert first_ten("class", ["a", "b"]) == "classes a, b"
    assert first_ten("row", list(range(12))) == "rows 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more"


@given(st.integers(1, 70), st.integers(0, 2**32 - 1))
def test_equal_rows_are_counted(width, seed):
    """Against a set of the rows' bytes, for types of 1, 4 and 8 bytes."""
    draw = np.random.default_rng(seed)
    table = draw.integers(0, 3, (40, width))
    for kind in (np.uint8, np.float32, np.float64):
        inputs, parts = torch.from_numpy(table.astype(kind)), torch.arange(40).split([20, 10, 10])
        train, val, test = parts
        data = make(inputs, train=train, val=val, test=test)
        rows = [tuple(row) for row in table.tolist()]
        expected = {
            "val": sum(row in set(rows[:20]) for row in rows[20:30]),
            "test": sum(row in set(rows[:30]) for row in rows[30:]),
        }
        assert data.duplicates == expected
