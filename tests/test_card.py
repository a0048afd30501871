"""A process that computes on no card does not begin CUDA to know which there are."""

import os
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from dlexp import card
from dlexp import device as devices
from dlexp.build.dataset import load_data
from dlexp.build.place import check_first
from dlexp.card import VISIBLE, Card, cards
from dlexp.config.resolve import resolve
from dlexp.launcher.local import Local

H100 = Card("H100", 80 * 2**30, (9, 0), "91002")


@pytest.fixture
def two(monkeypatch):
    """Two cards that this process must not ask for; a child of it may."""
    parent = os.getpid()

    def in_a_child(value: Any) -> Callable[..., Any]:
        def call(*_device: Any) -> Any:
            assert os.getpid() != parent, "CUDA begins in the first process"
            return value

        return call

    for name, value in {
        "is_available": True,
        "device_count": 2,
        "get_device_name": H100.name,
        "get_device_properties": SimpleNamespace(total_memory=H100.total),
        "get_device_capability": H100.capability,
    }.items():
        monkeypatch.setattr(torch.cuda, name, in_a_child(value))
    monkeypatch.setattr(torch.backends.cudnn, "version", in_a_child(91002))
    monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: True)
    monkeypatch.delenv(VISIBLE, raising=False)
    card.seen_by_child.cache_clear()
    yield
    card.seen_by_child.cache_clear()


def test_a_child_says_which_cards_there_are(two):
    assert cards(is_elsewhere=True) == [H100, H100]
    assert devices.choose("auto", is_elsewhere=True) == (torch.device("cuda", 0), "cuda:0 H100, 80.0 GiB")
    assert devices.choose("cuda:1", is_elsewhere=True)[0] == torch.device("cuda", 1)
    described = devices.describe(torch.device("cuda", 1))
    assert described is not None
    assert {"name": "H100", "capability": "9.0", "cudnn": "91002"}.items() <= described.items()


def test_a_process_that_computes_looks_for_itself(two):
    with pytest.raises(AssertionError, match="CUDA begins"):
        cards()


def test_a_sweep_plans_for_cards_without_beginning_cuda(two):
    config = resolve(["trainer.device=cuda", "data=iris", "model.widths=[4]", "tracking=none"]).config
    built = check_first(config, load_data(config))
    assert built.device_line == "cuda:0 H100, 80.0 GiB"
    assert Local().kind("auto") == "cuda"
    assert [place[VISIBLE] for place in Local().places("auto", 1)] == ["0", "1"]
    assert not torch.cuda.is_initialized()


def test_a_driver_that_ends_the_child_is_no_card(two, monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: os._exit(11))
    assert cards(is_elsewhere=True) == []


def test_cards_are_those_that_are_visible(two, monkeypatch):
    assert len(cards(is_elsewhere=True)) == 2
    monkeypatch.setenv(VISIBLE, "1")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert len(cards(is_elsewhere=True)) == 1
