import numpy as np
import pytest

from dlexp.data.fact import leak

DRAW = np.random.default_rng(0)
CLASSES = DRAW.integers(0, 2, 400)


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        (np.arange(400.0) + 7, True),
        (np.arange(400.0) * 2, False),
        (DRAW.normal(size=400), False),
        (np.arange(9.0), False),
    ],
)
def test_counted_rows(numbers, expected):
    assert leak.counts_rows(numbers) is expected


def test_one_threshold():
    gone = CLASSES * 3.0 + DRAW.random(400)
    assert leak.splits_classes(gone, CLASSES)
    gone[:40] = np.nan
    assert leak.splits_classes(gone, CLASSES)
    assert leak.splits_classes(-gone, CLASSES)
    assert not leak.splits_classes(DRAW.normal(size=400), CLASSES)
    assert not leak.splits_classes(np.ones(400), CLASSES)
    assert not leak.splits_classes(np.arange(400.0), np.zeros(400, int))


def test_categories_that_are_classes():
    classes = DRAW.integers(0, 3, 400)
    assert leak.names_classes(classes + 3 * DRAW.integers(0, 2, 400), classes)
    assert not leak.names_classes(DRAW.integers(0, 6, 400), classes)
    assert not leak.names_classes(np.arange(400), classes)
    assert not leak.names_classes(np.full(400, -1), classes)


def test_whole_numbers_that_differ_in_every_row_are_names():
    names = np.random.default_rng(0).permutation(1000).astype(float) + 7e8
    assert leak.names_rows(names)
    assert not leak.names_rows(np.where(names == names[0], names[1], names))
    assert not leak.names_rows(names + 0.5)
    assert not leak.names_rows(np.where(names == names[0], np.nan, names))
    assert not leak.names_rows(names[:19])
