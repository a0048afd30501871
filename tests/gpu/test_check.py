"""Whether a device computes; on devices that fail, tests/nullgpu."""

import os
import time

import pytest
import torch

from dlexp.gpu import check as checks
from dlexp.gpu.check import Health, check
from tests.pretended.device import pretend


@pytest.fixture
def card(monkeypatch):
    with pretend():
        yield monkeypatch


def test_a_sound_device_says_what_is_free(card):
    card.setattr(torch.cuda, "get_device_name", lambda _: f"card {os.environ['CUDA_VISIBLE_DEVICES']}")
    card.setattr(torch.cuda, "mem_get_info", lambda _: (3, 4))
    assert check(["0", "GPU-8e6"]) == [Health("card 0", 3, 4, "", False), Health("card GPU-8e6", 3, 4, "", False)]


def test_a_device_that_ends_its_process_is_a_finding(card):
    card.setattr(torch.cuda, "mem_get_info", lambda _: os._exit(11))
    assert check(["0"]) == [Health("", 0, 0, "a process that looks at it is ended", False)]


def test_a_device_whose_driver_does_not_come_back_is_a_finding(card):
    card.setattr(torch.cuda, "mem_get_info", lambda _: time.sleep(60))
    assert check(["0"], patience=0.2) == [Health("", 0, 0, "its driver does not answer within 0.2 s", False, True)]


@pytest.mark.parametrize(
    ("message", "fault", "is_full"),
    [
        ("CUDA error: uncorrectable ECC error\nmore", "CUDA error: uncorrectable ECC error", False),
        ("CUDA error: out of memory", "out of memory", True),
    ],
)
def test_a_fault_is_one_line_and_a_full_device_is_told_from_a_broken_one(card, message, fault, is_full):
    def fail(_index: int) -> None:
        raise RuntimeError(message)

    card.setattr(torch.cuda, "mem_get_info", fail)
    card.setattr(checks, "can_ask", lambda: False)  # a system without forks looks for itself
    assert check(["0"]) == [Health("", 0, 0, fault, is_full)]
