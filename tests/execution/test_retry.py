"""What is done again, how often, and what has failed then."""

import pytest

from dlexp.execution.assignment import Assignment, Group
from dlexp.execution.fusion import SOLO
from dlexp.execution.retry import MOST_MOVES, Retry
from dlexp.launcher.pool import Lost
from dlexp.run.folder import RunFolder


@pytest.fixture
def pair(tmp_path):
    made = []
    for name in "ab":
        (tmp_path / name).mkdir()
        made.append(Assignment({}, tmp_path / name, "trial"))
    return Group(made, SOLO, 1)


def test_of_a_process_that_died_each_trial_is_begun_once_more_alone(pair):
    retry = Retry()
    groups, failed = retry.sort(Lost(pair, "killed"), has_place=True)
    assert [group.assignments for group in groups] == [[each] for each in pair.assignments]
    assert failed == []
    again, failed = retry.sort(Lost(groups[0], "killed again"), has_place=True)
    assert again == []
    assert failed == [(pair.assignments[0], "killed; then killed again")]
    assert "killed; once more in another" in (RunFolder(pair.assignments[0].path).path / "log.txt").read_text()


def test_of_what_has_ended_nothing_is_done(pair):
    retry = Retry()
    retry.note_end(pair.assignments[0].path)
    groups, _ = retry.sort(Lost(pair, "lost", "place"), has_place=True)
    assert [group.assignments for group in groups] == [pair.assignments[1:]]
    retry.note_end(pair.assignments[1].path)
    assert retry.sort(Lost(pair, "lost", "place"), has_place=True) == ([], [])


@pytest.mark.parametrize(("cause", "what"), [("place", "machines"), ("device", "devices")])
def test_a_machine_that_goes_or_a_device_that_fails_moves_the_whole_group_three_times(pair, cause, what):
    retry = Retry()
    for _ in range(MOST_MOVES):
        assert retry.sort(Lost(pair, "gone", cause), has_place=True) == ([pair], [])
    groups, failed = retry.sort(Lost(pair, "gone", cause), has_place=True)
    assert groups == []
    assert failed == [(each, f"gone; it was begun on 4 {what}") for each in pair.assignments]


def test_what_no_device_has_the_memory_for_has_failed(pair):
    retry = Retry()
    retry.note_end(pair.assignments[0].path)
    failed = [(pair.assignments[1], "out of memory; choose")]
    assert retry.sort(Lost(pair, "out of memory; choose", "memory"), has_place=True) == ([], failed)


def test_where_no_device_is_left_each_is_tried_alone(pair):
    groups, failed = Retry().sort(Lost(pair, "broken", "device"), has_place=False)
    assert (len(groups), failed) == (2, [])
