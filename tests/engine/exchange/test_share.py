"""Shares of a batch: contiguous, every example once, sizes that differ by one."""

from hypothesis import given
from hypothesis import strategies as st

from dlexp.engine.exchange.share import deal, slices


@given(num=st.integers(1, 200), size=st.integers(1, 17), least=st.integers(1, 3))
def test_every_example_belongs_to_one_device(num, size, least):
    bounds = deal(num, size, least)
    assert len(bounds) == size
    assert [place for first, end in bounds for place in range(first, end)] == list(range(num))
    sizes = [end - first for first, end in bounds if end > first]
    assert max(sizes) - min(sizes) <= 1
    assert min(sizes) >= min(least, num)


def test_what_divides_is_divided_equally():
    assert deal(32, 4) == [(0, 8), (8, 16), (16, 24), (24, 32)]


def test_the_last_devices_go_without_where_there_are_too_few():
    assert deal(3, 4, 2) == [(0, 3), (3, 3), (3, 3), (3, 3)]
    assert deal(5, 3, 2) == [(0, 2), (2, 5), (5, 5)]


@given(num=st.integers(1, 5000), size=st.integers(1, 9))
def test_every_element_belongs_to_one_device(num, size):
    bounds = slices(num, size)
    assert [place for first, end in bounds for place in range(first, end)] == list(range(num))
    widths = [end - first for first, end in bounds]
    assert len({*widths[:-1]}) <= 1
    assert all(width % 16 == 0 for width in widths[:-1])
    assert widths[-1] - widths[0] < 16 * size
