"""Streams of the statistics are repeatable, and independent of each other."""

import itertools

import numpy as np
import pytest

from dlexp.statistic.stream import PURPOSES, stream


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_stream_begins_anew(purpose):
    assert stream(purpose).random(5).tolist() == stream(purpose).random(5).tolist()


def test_no_two_are_correlated_at_any_small_shift():
    drawn = {purpose: stream(purpose).standard_normal(20_000) for purpose in PURPOSES}
    for a, b in itertools.combinations(PURPOSES, 2):
        for shift in range(-3, 4):
            correlation = np.corrcoef(drawn[a][10:-10], np.roll(drawn[b], shift)[10:-10])[0, 1]
            assert abs(correlation) < 4.5 / np.sqrt(20_000), (a, b, shift)


def test_another_purpose_is_refused():
    with pytest.raises(ValueError, match="not in tuple"):
        stream("luck")
