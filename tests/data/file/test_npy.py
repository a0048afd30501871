"""Arrays of a file: what its header says is held against what is there."""

import io
import struct

import numpy as np
import pytest

from dlexp.data.file.npy import read_npy
from dlexp.error import DataError


def stored(array, **options):
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


def with_header(text, version=1):
    form = "<H" if version == 1 else "<I"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack(form, len(text)) + text.encode()


def read(content):
    return read_npy(io.BytesIO(content), len(content), "t.npz, x")


@pytest.mark.parametrize(
    "array", [np.arange(6.0).reshape(2, 3), np.asfortranarray(np.eye(3)), np.array(["a", "ß"]), np.zeros((0, 4))]
)
def test_values_stay(array):
    np.testing.assert_array_equal(read(stored(array)), array)


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (
            with_header("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }"),
            r"shape \(1000000000000,\) of float64, 0 bytes are there",
        ),
        (with_header("{'descr': '<f8', 'fortran_order': False, 'shape': (" + "9" * 4000 + ",), }"), "damaged"),
        (with_header("(" * 9000), "damaged"),
        (with_header("{'descr': '<f8', 'fortran_order': False, 'shape': " + "(" * 60000, 2), "damaged"),
        (with_header("{'descr': '<f8', 'shape': (-1,), 'fortran_order': False}"), "damaged"),
        (with_header("garbage"), "damaged"),
        (with_header("{}", 3), "an array for each field"),
        (b"\x93NUMPY", "damaged"),
        (b"", "damaged"),
        (stored(np.arange(9.0))[:-1], r"shape \(9,\) of float64, 71 bytes are there"),
        (stored(np.array([{}]), allow_pickle=True), "got an object array"),
    ],
)
def test_damage_is_told_in_a_line(content, refusal):
    with pytest.raises(DataError, match=refusal) as error:
        read(content)
    assert str(error.value).startswith("t.npz, x: ")
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 400
