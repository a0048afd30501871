"""What tells the sides of a comparison apart."""

from pathlib import Path

from dlexp.job.entrant import Entrant, labels


def entrant(run_id: str, *overrides: str) -> Entrant:
    return Entrant(run_id, list(overrides), "train", Path(run_id), "binary", "f", {})


def test_labels_leave_out_what_all_share():
    runs = [
        entrant("a", "data=iris", "seed=1", "model=cnn"),
        entrant("b", "data=iris", "seed=2"),
        entrant("c", "data=iris"),
    ]
    assert labels(runs) == ["a seed=1 model=cnn", "b seed=2", "c default"]
