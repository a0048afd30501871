"""Columns of pyarrow as arrays of few types."""

import numpy as np
import pyarrow
import pytest

from dlexp.data.file.arrow import floats_of, joined, texts_of_floats, values_of


def test_whole_numbers_are_floats_with_nan_for_gaps():
    np.testing.assert_array_equal(floats_of(pyarrow.array([1, None, 3], pyarrow.int8())), [1, np.nan, 3])


@pytest.mark.parametrize("start", [0, 3, 9])
def test_a_slice_has_its_own_gaps(start):
    numbers = [float(k) if k % 3 else None for k in range(20)]
    expected = [np.nan if number is None else number for number in numbers[start:]]
    np.testing.assert_array_equal(values_of(pyarrow.array(numbers).slice(start), np.float64, np.nan), expected)


def test_files_of_different_types_are_joined_as_text():
    both = joined([pyarrow.array([1, 2]), pyarrow.array(["a"])])
    assert both.to_pylist() == ["1", "2", "a"]


def test_texts_of_numbers():
    assert texts_of_floats(pyarrow.array([1.0, 0.1, None, float("nan")])) == ["1", "0.1", None, None]
