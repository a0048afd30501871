"""The cards that a process sees, and a first process of many that has a child look."""

import os

import pytest
import torch

from dlexp.gpu import look
from dlexp.gpu.child import VISIBLE
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


def test_cards_are_those_that_are_visible(two, monkeypatch):
    assert len(look.cards(is_elsewhere=True)) == 2
    monkeypatch.setenv(VISIBLE, "1")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert len(look.cards(is_elsewhere=True)) == 1
