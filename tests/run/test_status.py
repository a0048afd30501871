"""What each status means: who has a value, who is over, what the command exits with."""

import json

import pytest

from dlexp.run.status import Status

#           value  over   ended  failed exit
MEANING = {
    "running": (False, False, False, False, None),
    "detached": (False, False, False, False, None),
    "finished": (True, True, True, False, 0),
    "stopped_early": (True, True, True, False, 0),
    "diverged": (False, True, True, True, 3),
    "failed": (False, False, True, True, 1),
    "interrupted": (False, False, False, False, None),
    "killed": (False, False, False, False, None),
    "invalid": (False, False, False, False, None),
    "damaged": (False, False, False, False, None),
}


@pytest.mark.parametrize("text", MEANING)
def test_meaning(text):
    status = Status(text)
    assert (status.has_value, status.is_over, status.has_ended, status.has_failed, status.exit_code) == MEANING[text]


def test_every_status_is_listed_and_is_its_text():
    assert {str(status) for status in Status} == set(MEANING)
    assert json.dumps({"status": Status.STOPPED_EARLY}) == '{"status": "stopped_early"}'
    with pytest.raises(ValueError, match="gone"):
        Status("gone")
