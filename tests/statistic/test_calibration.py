import math

import numpy as np
import pytest

from dlexp.statistic.calibration import reliability
from dlexp.statistic.proportion import wilson


def test_by_hand():
    bins = reliability(np.array([0.55, 0.6, 0.95, 1.0]), np.array([True, False, True, True]))
    assert [each.num for each in bins] == [0, 0, 0, 0, 0, 2, 0, 0, 0, 2]
    assert (bins[5].confidence, bins[5].share) == pytest.approx((0.575, 0.5))
    assert bins[5].interval == wilson(0.5, 2)
    assert (bins[9].confidence, bins[9].share) == pytest.approx((0.975, 1.0))
    assert math.isnan(bins[0].share)


def test_every_prediction_is_in_one_bin():
    rng = np.random.default_rng(0)
    confidence_N = np.r_[rng.random(500), 0.0, 0.1, 0.5, 1.0]
    assert sum(each.num for each in reliability(confidence_N, confidence_N > 0.5)) == 504
