import numpy as np
import pytest

from dlexp.data.file.native import native
from dlexp.error import DataError


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.array([b"cat", "é".encode()]), np.array(["cat", "é"])),
        (np.array([1, 2], ">i8"), np.array([1, 2], np.int64)),
        (np.array([1.5, 2], ">f4"), np.array([1.5, 2], np.float32)),
        (np.array([1.5, 2], np.float16), np.array([1.5, 2], np.float32)),
        (np.array([1.5, 2], np.longdouble), np.array([1.5, 2], np.float64)),
        (np.array(["a", "bcd"], np.dtypes.StringDType()), np.array(["a", "bcd"])),
        (np.array([2**64 - 1], np.uint64), np.array([2**64 - 1], np.uint64)),
    ],
)
def test_values_stay(array, expected):
    values = native(array, "x")
    assert values.dtype == expected.dtype
    assert values.tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.array([1j]), r"^x: got type complex128; real numbers are needed"),
        (np.array(["2021-01-01"], "M8[D]"), r"^x: got type datetime64\[D\]; numbers are needed: store seconds since"),
        (np.array([{}]), r"^x: got type object; numbers or text"),
        (np.array([b"\xff"]), r"^x: got bytes b'\\xff'; UTF-8"),
        (np.array([0, np.longdouble("1e4000")]), r"^x, row 1: got 1e\+4000; float64 ends at 1.8e308"),
    ],
)
def test_refused(array, message):
    with pytest.raises(DataError, match=message):
        native(array, "x")
