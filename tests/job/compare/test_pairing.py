"""What tells the sides of a comparison apart."""

from dlexp.job.compare.pairing import labels
from tests.job.compare import compared as made


def test_labels_leave_out_what_all_share():
    runs = [
        made.side("a", [], "data=iris", "seed=1", "model=cnn"),
        made.side("b", [], "data=iris", "seed=2"),
        made.side("c", [], "data=iris", "runs_dir=/tmp", "tracking.uri=x"),
    ]
    assert labels(runs) == ["a seed=1 model=cnn", "b seed=2", "c default"]
