"""What many devices cannot divide: a batch smaller than they need, and a profile."""

import pytest

from dlexp.error import ConfigError
from dlexp.launcher.devices.division import require_divisible


@pytest.mark.parametrize(("batch_size", "devices", "least"), [(2, 2, 1), (32, 8, 2), (16, 8, 2)])
def test_every_device_gets_what_it_needs(batch_size, devices, least):
    require_divisible(batch_size, devices, least, is_profiled=False)


@pytest.mark.parametrize(
    ("batch_size", "devices", "least", "line"),
    [
        (1, 2, 1, r"trainer.batch_size: got 1; 2 devices need at least 2$"),
        (15, 8, 2, r"got 15; 8 devices need at least 16, 2 each for batch norm, unless norm.sync=true$"),
    ],
)
def test_too_small_a_batch(batch_size, devices, least, line):
    with pytest.raises(ConfigError, match=line):
        require_divisible(batch_size, devices, least, is_profiled=False)


def test_a_profile_is_of_one_device():
    with pytest.raises(ConfigError, match=r"trainer.profile: got true; .* train on one for it"):
        require_divisible(32, 2, is_profiled=True)
