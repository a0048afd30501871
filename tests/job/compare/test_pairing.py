"""What tells the sides of a comparison apart."""

import numpy as np
import pytest

from dlexp.error import RunError
from dlexp.job.compare.pairing import labels, require_same_constants
from dlexp.job.compare.side import Predictions
from dlexp.statistic.measure import Measure
from tests.job.compare import compared as made


def test_labels_leave_out_what_all_share():
    runs = [
        made.side("a", [], "data=iris", "seed=1", "model=cnn"),
        made.side("b", [], "data=iris", "seed=2"),
        made.side("c", [], "data=iris", "runs_dir=/tmp", "tracking.uri=x"),
    ]
    assert labels(runs) == ["a seed=1 model=cnn", "b seed=2", "c default"]


def test_a_number_that_was_drawn_has_three_digits():
    runs = [
        made.side("a", [], "optimizer.lr=0.008591203599326512", "model.widths=[8]", "trainer.ema=0.995"),
        made.side("b", [], "optimizer.lr=5.73740874e-05"),
    ]
    assert labels(runs) == ["a optimizer.lr=8.59e-03 model.widths=[8] trainer.ema=0.995", "b optimizer.lr=5.74e-05"]


def test_metrics_of_other_constants_are_not_compared():
    ids, values = np.array(["a", "b"]), np.array([0.0, 1.0])

    def side(name, **constants):
        return made.side(name, [Predictions(ids, values, values + 1, 8, Measure(**constants))])

    same = [side("a", delta=2.0), side("b", delta=2.0 * (1 + 1e-9), beta=9.0)]
    require_same_constants("huber", same)
    require_same_constants("rmse", [side("a", delta=2.0), side("b", delta=3.0)])
    with pytest.raises(RunError, match=r"--metric: got huber, whose delta is 2, 3; choose another --metric"):
        require_same_constants("huber", [side("a", delta=2.0), side("b", delta=3.0)])
    with pytest.raises(RunError, match=r"got fbeta_macro, whose beta is 2, 9"):
        require_same_constants("fbeta_macro", same)
