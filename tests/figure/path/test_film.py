"""Films: which steps are shown."""

import pytest

from dlexp.figure.path.film import FRAMES, frame_steps


@pytest.mark.parametrize("last", [0, 1, 5, 59, 1000])
def test_a_film_begins_at_the_start_and_ends_at_the_end(last):
    steps = frame_steps(last)
    assert (steps[0], steps[-1]) == (0, last)
    assert steps == sorted(set(steps))
    assert len(steps) <= FRAMES


def test_early_steps_get_more_frames():
    steps = frame_steps(1000)
    assert sum(step < 500 for step in steps) > len(steps) / 2
