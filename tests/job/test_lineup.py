"""What tells the sides of a comparison apart."""

import importlib.util
import sys
from pathlib import Path

from dlexp.job.lineup import labels

spec = importlib.util.spec_from_file_location("compared", Path(__file__).with_name("compared.py"))
assert spec is not None
assert spec.loader is not None
made = importlib.util.module_from_spec(spec)
sys.modules["compared"] = made
spec.loader.exec_module(made)


def test_labels_leave_out_what_all_share():
    runs = [
        made.entrant("a", [], "data=iris", "seed=1", "model=cnn"),
        made.entrant("b", [], "data=iris", "seed=2"),
        made.entrant("c", [], "data=iris", "runs_dir=/tmp", "tracking.uri=x"),
    ]
    assert labels(runs) == ["a seed=1 model=cnn", "b seed=2", "c default"]
