"""The cards that a process sees, and a first process of many that has a child look."""

import os
import time
from functools import partial

import pytest
import torch

from dlexp.error import EnvironmentFault
from dlexp.gpu import look
from dlexp.gpu.child import VISIBLE, ask
from tests.gpu.two import H100, two

__all__ = ["two"]  # a fixture


def test_a_child_says_which_cards_there_are(two):
    assert look.cards(is_elsewhere=True) == [H100, H100]


def test_a_process_that_computes_looks_for_itself(two):
    with pytest.raises(AssertionError, match="CUDA begins"):
        look.cards()


def test_a_driver_that_ends_the_child_is_no_card(two, monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: os._exit(11))
    assert look.cards(is_elsewhere=True) == []


@pytest.mark.parametrize(("visible", "place"), [(None, "cuda"), ("GPU-8e6", "CUDA_VISIBLE_DEVICES=GPU-8e6")])
def test_a_driver_that_does_not_come_back_is_told_and_no_reason_for_the_cpu(two, monkeypatch, visible, place):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: time.sleep(60))
    monkeypatch.setattr(look, "ask", partial(ask, patience=0.2))
    if visible is not None:
        monkeypatch.setenv(VISIBLE, visible)
    with pytest.raises(EnvironmentFault) as raised:
        look.cards(is_elsewhere=True)
    assert str(raised.value) == (
        f"{place}: its driver does not answer within 0.2 s; restart the machine, or name other devices in "
        "CUDA_VISIBLE_DEVICES, or set trainer.device=cpu"
    )


def test_cards_are_those_that_are_visible(two, monkeypatch):
    assert len(look.cards(is_elsewhere=True)) == 2
    monkeypatch.setenv(VISIBLE, "1")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert len(look.cards(is_elsewhere=True)) == 1
