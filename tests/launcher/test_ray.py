"""What `launcher=ray` takes and refuses before there is a cluster."""

import sys

import pytest

from dlexp.error import ConfigError
from dlexp.launcher.ray import Ray


@pytest.mark.parametrize(
    ("gpus", "device", "kind"),
    [(0, "auto", "cpu"), (0, "cpu", "cpu"), (0.5, "auto", "cuda"), (1, "cuda", "cuda"), (1, "cuda:0", "cuda")],
)
def test_the_kind_of_device_is_that_of_the_workers_and_not_of_this_machine(gpus, device, kind):
    assert Ray(gpus_per_worker=gpus).kind(device) == kind


@pytest.mark.parametrize(("gpus", "device"), [(0, "cuda"), (0, "mps"), (1, "cpu"), (1, "mps")])
def test_a_device_that_the_workers_lack_is_refused(gpus, device):
    with pytest.raises(ConfigError, match=rf"^trainer.device: got {device} .*launcher.gpus_per_worker"):
        Ray(gpus_per_worker=gpus).places(device, 1)


def test_without_ray_the_command_that_installs_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "dlexp.launcher.ray_pool", raising=False)
    with pytest.raises(ConfigError, match=r"pip install 'dlexp\[ray\]'"):
        Ray().require()
