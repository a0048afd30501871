"""A run trained on one device is evaluated, verified and predicted with on another."""

import pytest
import torch

from dlexp.build.place import choose_device, on_device
from dlexp.error import ConfigError

CONFIG = {"seed": 1, "trainer": {"device": "cuda", "epochs": 3}}


def test_a_given_device_takes_the_place_of_the_runs():
    assert on_device(CONFIG, "cpu") == {"seed": 1, "trainer": {"device": "cpu", "epochs": 3}}
    assert CONFIG["trainer"]["device"] == "cuda"


def test_the_runs_device_stays_where_none_is_given():
    assert on_device({"trainer": {"device": "cpu"}}, None) == {"trainer": {"device": "cpu"}}


@pytest.mark.skipif(torch.cuda.is_available(), reason="a CUDA device is present")
def test_a_device_that_is_not_here_is_an_error_that_names_the_option():
    with pytest.raises(ConfigError, match=r"trainer.device: got cuda; .* give --device cpu"):
        on_device(CONFIG, None)


@pytest.mark.parametrize("name", ["gpu", "cuda:9", ""])
def test_a_name_of_no_device_is_refused(name):
    with pytest.raises(ConfigError, match=f"--device: got {name}; choose auto, cpu"):
        choose_device(name)
