"""What makes each visible device visible alone."""

import pytest

from dlexp.gpu.child import VISIBLE
from dlexp.gpu.look import Card
from dlexp.gpu.visible import are_hidden_on_purpose, visible_gpus


@pytest.fixture
def see(monkeypatch):
    """Set CUDA_VISIBLE_DEVICES, on a machine where CUDA sees so many devices by it; by a slice alone, that one."""

    def call(count: int, visible: str | None) -> list[str]:
        def seen(setting: str | None) -> list[Card]:
            number = count if setting == visible else setting in ("MIG-5a4c", "MIG-GPU-8e6/1/0")
            return [Card("a card", 2**30, (9, 0), "9")] * number

        monkeypatch.setattr("dlexp.gpu.look.seen_by_child", seen)
        monkeypatch.delenv(VISIBLE, raising=False)
        if visible is not None:
            monkeypatch.setenv(VISIBLE, visible)
        return visible_gpus()

    return call


def test_visible_gpus_are_those_that_cuda_counts(see):
    assert see(2, None) == ["0", "1"]
    assert see(2, "3, GPU-8e6") == ["3", "GPU-8e6"]
    assert see(1, "2,9") == ["2"]  # an index that does not exist hides itself and what follows
    assert see(0, "") == []


def test_slices_are_all_there_though_a_process_sees_one_of_them(see):
    assert see(1, "MIG-5a4c,MIG-GPU-8e6/1/0,MIG-gone") == ["MIG-5a4c", "MIG-GPU-8e6/1/0"]


@pytest.mark.parametrize(("value", "expected"), [("", True), ("-1", True), ("-1,0", True), ("0", False), ("9", False)])
def test_no_device_on_purpose_is_told_from_one_that_is_not_there(monkeypatch, value, expected):
    monkeypatch.setenv(VISIBLE, value)
    assert are_hidden_on_purpose() is expected
