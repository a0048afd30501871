import numpy as np
import pyarrow

from dlexp.data.memory.grown import Floats, Strings


def test_blocks_one_after_another():
    """Beyond 1 MiB a column moves to pages of its own: what was there before is there still, gaps too."""
    draw, column, expected = np.random.default_rng(0), Floats(), []
    for length in (0, 1, 1000, 50_000, 0, 130_000, 7):
        block = draw.normal(size=length).tolist()
        block[3:5] = [None, float("nan")][: len(block[3:5])]
        column.add(pyarrow.array(block, pyarrow.float64()))
        expected += block
    array = column.array()
    np.testing.assert_array_equal(np.array(array.to_pylist(), float), np.array(expected, float))
    assert array.is_null().to_pylist() == [number is None for number in expected]
    assert array.null_count == 4


def test_a_block_that_is_a_slice():
    column = Floats()
    column.add(pyarrow.array([None, 1.0, None, 3.0]).slice(1, 2))
    assert column.array().to_pylist() == [1.0, None]


def test_text():
    column = Strings()
    column.add(pyarrow.array(["a", None]))
    column.add(pyarrow.array(["\u00e9"]))
    assert column.array().to_pylist() == ["a", None, "\u00e9"]
