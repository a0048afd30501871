"""Sweep expressions: what they mean and what is refused."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlexp.config.dimension import Dimension, read
from dlexp.config.override import parse
from dlexp.error import ConfigError


def dimension(text: str) -> Dimension:
    return read(parse([text])[0])


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a=1,2,3", [1, 2, 3]),
        ("a=x,'y z'", ["x", "y z"]),
        ("a=null,1", [None, 1]),
        ("a=[1],[2,3]", [[1], [2, 3]]),
        ("a=1,true", [1, True]),
        ("a=range(0,5)", [0, 1, 2, 3, 4]),
        ("a=range(5,0,-2)", [5, 3, 1]),
        ("a=range(0,0.9,0.3)", [0.0, 0.3, 0.6]),
        ("a=range(0,1,0.25)", [0.0, 0.25, 0.5, 0.75]),
        ("a=sort(3,1,2)", [1, 2, 3]),
        ("a=tag(log,choice(0.1,1))", [0.1, 1]),
    ],
)
def test_listed_values(text, values):
    assert dimension(text).values == values


def test_intervals():
    lr = dimension("lr=tag(log,interval(1e-5,1e-1))")
    assert (lr.values, lr.low, lr.high, lr.is_log, lr.is_int) == (None, 1e-5, 1e-1, True, False)
    depth = dimension("a=tag(log,int(interval(1,512)))")
    assert (depth.low, depth.high, depth.is_log, depth.is_int) == (1, 512, True, True)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a=interval(5,1)", "low <= high"),
        ("a=interval(1,1)", "one point"),
        ("a=interval(nan,1)", "finite"),
        ("a=interval(0,inf)", "finite"),
        ("a=range(0,inf)", "finite"),
        ("a=range(0,5,0)", "step 0"),
        ("a=range(3,0)", "empty range"),
        ("a=range(2,2)", "empty range"),
        ("a=range(0,1,1e-9)", "at most"),
        ("a=1,2,1", "twice"),
        ("a=[1],[1]", "twice"),
        ("a=1,nan", "finite"),
        ("a=tag(log,interval(0,1))", "low > 0"),
        ("a=tag(log,interval(-1,1))", "low > 0"),
        ("a=tag(log,range(0,3))", "> 0"),
        ("a=tag(log,choice(x,y))", "> 0"),
        ("a=tag(other,choice(1,2))", "only log"),
        ("a=shuffle(1,2)", "shuffle"),
        ("a=glob(*)", "glob"),
        ("a=1,range(0,3)", "mixed"),
        ("+a=1,2", "remove"),
        ("~a=1,2", "remove"),
    ],
)
def test_refused_with_the_reason(text, reason):
    with pytest.raises(ConfigError, match=r"^a: got .+; .+") as error:
        dimension(text)
    assert reason in str(error.value)


@given(st.floats(0, 1, exclude_max=True), st.floats(1e-6, 1e3), st.floats(1.01, 1e4), st.booleans())
def test_positions_cover_an_interval(position, low, ratio, is_log):
    d = Dimension("a", "", low=low, high=low * ratio, is_log=is_log)
    value = d.value(position)
    assert d.low <= value <= d.high
    ends = d.span
    assert math.isclose(d.place(value), ends[0] + position * (ends[1] - ends[0]), rel_tol=1e-6, abs_tol=1e-6)
    assert d.value(0.0) == pytest.approx(d.low)


@given(st.integers(-20, 20), st.integers(1, 9))
def test_integers_share_the_positions_equally(low, extra):
    d = Dimension("a", "", low=low, high=low + extra, is_int=True)
    drawn = [d.value((i + 0.5) / (10 * (extra + 1))) for i in range(10 * (extra + 1))]
    assert [drawn.count(value) for value in range(low, low + extra + 1)] == [10] * (extra + 1)
    assert all(isinstance(value, int) for value in drawn)


def test_logarithmic_integers_favour_small_ones():
    d = Dimension("a", "", low=1, high=512, is_int=True, is_log=True)
    drawn = [d.value(i / 1000) for i in range(1000)]
    assert min(drawn) == 1
    assert max(drawn) > 505
    # P(value <= 15) = log(16) / log(513)
    assert sum(value <= 15 for value in drawn) / 1000 == pytest.approx(math.log(16) / math.log(513), abs=0.01)
