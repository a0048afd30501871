"""Two cards that a test's own process must not ask for; a child of it may."""

import os
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from dlexp.gpu.child import VISIBLE
from dlexp.gpu.look import Card, seen_by_child

H100 = Card("H100", 80 * 2**30, (9, 0), "91002")


@pytest.fixture
def two(monkeypatch):
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
    seen_by_child.cache_clear()
    yield
    seen_by_child.cache_clear()
