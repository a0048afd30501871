"""What came back is put in its place, unless another worker was given the trial."""

from dlexp.execution.parcel.archive import Archive
from dlexp.execution.parcel.parcel import Returned
from dlexp.run.lock import begin_attempt
from tests.execution.test_dispatcher import assign, holder

__all__ = ["holder"]  # a fixture


def test_what_a_worker_sends_that_was_given_up_is_left(holder):
    (assignment,) = assign(holder, 1)
    sent = Returned(assignment.path, begin_attempt(assignment.path), Archive.of(assignment.path))
    begin_attempt(assignment.path)
    before = {path: path.read_bytes() for path in assignment.path.rglob("*")}
    assert not sent.put_in_place()
    assert {path: path.read_bytes() for path in assignment.path.rglob("*")} == before
