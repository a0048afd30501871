"""Columns of pyarrow as arrays of few types."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow
import pytest

from dlexp.data.file.arrow import floats_of, joined, plain_array, texts_of_floats, values_of


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


def plain(values, kind):
    column = pyarrow.chunked_array([pyarrow.array(values).cast(kind)])
    return plain_array(Path("t.parquet"), "c", column).to_pylist()


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        (pyarrow.decimal128(5, 2), ["1.25", "2.00", None], [1.25, 2.0, None]),
        (pyarrow.decimal128(18, 0), ["123456789012345678"], [123456789012345678]),
        (pyarrow.decimal128(19, 0), ["1234567890123456789"], ["1234567890123456789"]),
        (pyarrow.decimal128(21, 2), ["1234567890123456789.50", "7.00"], ["1234567890123456789.5", "7"]),
        (pyarrow.decimal256(40, 3), ["-1234567890123456789.125"], ["-1234567890123456789.125"]),
    ],
)
def test_decimals_keep_every_digit(kind, values, expected):
    assert plain(values, kind) == expected


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        (None, ["2021-07-01 10:00:00", "2021-07-01 10:00:00.500000"]),
        ("UTC", ["2021-07-01 10:00:00+00:00", "2021-07-01 10:00:00.500000+00:00"]),
        ("Europe/Berlin", ["2021-07-01 12:00:00+02:00", "2021-07-01 12:00:00.500000+02:00"]),
    ],
)
def test_moments_are_what_pandas_writes_into_a_csv(zone, expected):
    moments = [datetime(2021, 7, 1, 10), datetime(2021, 7, 1, 10, 0, 0, 500_000)]
    assert plain(moments, pyarrow.timestamp("us", zone)) == expected
