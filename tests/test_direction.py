import subprocess
import sys

import pytest
import torch

from dlexp.direction import has_direction, is_better_high
from dlexp.error import ConfigError
from dlexp.metric import classification_report, regression_report

LOWER = {"log_loss", "calibration_error", "mse", "rmse", "mae", "huber", "median_error"}


def test_every_reported_metric():
    outputs = torch.randn(1, 40, 6, generator=torch.Generator().manual_seed(0))
    names = set(classification_report(outputs, torch.arange(40).remainder(6)[None], 6))
    names |= set(regression_report(outputs[..., :1], torch.arange(40.0)[None])) - {"bias"}
    for name in names - {"confusion", "support_class"}:
        assert is_better_high(f"val/{name}") == (name not in LOWER), name


@pytest.mark.parametrize("name", ["loss", "train/loss", "val/error", "seconds"])
def test_losses_errors_and_times(name):
    assert not is_better_high(name)


@pytest.mark.parametrize("name", ["val/bias", "train/penalty"])
def test_a_metric_without_direction_is_refused(name):
    assert not has_direction(name)
    with pytest.raises(ConfigError, match="no better side"):
        is_better_high(name)


def test_the_module_is_light():
    code = "import sys, dlexp.direction; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
