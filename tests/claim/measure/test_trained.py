"""Statistics of runs, by hand."""

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
import torch
from torch import nn

from dlexp.claim.measure.trained import calibration_error, small_share


def test_calibration_error_by_hand():
    # Confidences 0.9 (right), 0.9 (wrong), 0.6 (right): two bins, |1 - 1.8| and |1 - 0.6|, over 3
    names = {"id": [0, 1, 2], "target": ["a", "b", "b"], "prediction": ["a", "a", "b"]}
    table = pd.DataFrame(names | {"p(a)": [0.9, 0.9, 0.4], "p(b)": [0.1, 0.1, 0.6]})
    run: Any = SimpleNamespace(predictions=lambda split: table)
    assert calibration_error(run) == pytest.approx((0.8 + 0.4) / 3)


def test_small_weights_are_counted_in_linear_layers_and_convolutions_only():
    layer = nn.Linear(4, 1)
    layer.weight.data = torch.tensor([[1e-4, -2e-4, 0.5, -0.5]])
    run: Any = SimpleNamespace(model=nn.Sequential(layer, nn.BatchNorm1d(1)))
    assert small_share(run) == 0.5
