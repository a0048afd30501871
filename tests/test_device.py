"""Which device, and how many threads."""

import os
import subprocess
import sys

import pytest
import torch
from torch import nn

from dlexp import device
from dlexp.build.dataset import load_data
from dlexp.build.place import check_first
from dlexp.config.resolve import resolve
from dlexp.error import ConfigError, name_fault_of_device
from dlexp.gpu.child import VISIBLE
from dlexp.launcher.local import Local
from tests.gpu.two import H100, two

__all__ = ["two"]  # a fixture
needs_no_cuda = pytest.mark.skipif(torch.cuda.is_available(), reason="a CUDA device is present")


@needs_no_cuda
@pytest.mark.skipif(torch.backends.mps.is_available(), reason="an MPS device is present")
def test_auto_falls_back_to_cpu_and_says_so():
    chosen, line = device.choose("auto")
    assert chosen.type == "cpu"
    assert "no CUDA" in line


@needs_no_cuda
@pytest.mark.parametrize("name", ["cuda", "cuda:1"])
def test_absent_device_asked_for_by_name_is_an_error_with_the_cure(name):
    with pytest.raises(ConfigError, match=rf"trainer.device: got {name}; .* choose auto or cpu"):
        device.choose(name)


@pytest.mark.parametrize(
    "text",
    [
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  Sun Jul 27 07:07:43 UTC 2025\nGCC version: 12\n",
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build\nGCC version: 12\n",
    ],
    ids=["closed", "open"],
)
def test_the_drivers_version_is_told_of_both_kernel_modules(text, tmp_path, monkeypatch):
    (tmp_path / "version").write_text(text)
    monkeypatch.setattr(device, "DRIVER", tmp_path / "version")
    monkeypatch.setattr(device, "cards", lambda **_: [H100])
    assert (device.describe(torch.device("cuda:0")) or {})["driver"] == "580.65.06"


@pytest.mark.gpu
def test_auto_takes_cuda():
    chosen, line = device.choose("auto")
    assert chosen.type == "cuda"
    assert line.endswith("GiB")


def test_small_dense_models_take_one_thread_and_others_torchs_choice():
    assert device.suggest_threads(nn.Linear(64, 10), 32) == 1
    assert device.suggest_threads(nn.Linear(4096, 4096), 32) is None
    assert device.suggest_threads(nn.Conv2d(1, 2, 3), 32) is None


def test_free_memory_is_positive():
    assert device.free_bytes(torch.device("cpu")) > 0


@pytest.mark.skipif(not device.keep_freed_memory(), reason="no glibc")
def test_freed_memory_is_kept_for_the_next_update_and_given_back_before_it_is_counted():
    """A process of its own: this one may keep large blocks of earlier tests, which the tensor would be put in."""
    code = """
import psutil, torch
from dlexp import device
resident = lambda: psutil.Process().memory_info().rss / 2**20
device.keep_freed_memory()
before = resident()
torch.ones(256 * 2**20, dtype=torch.uint8)
print(resident() - before)
device.free_bytes(torch.device("cpu"))
print(resident() - before)
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    after_freeing, after_counting = map(float, said.split())
    assert after_freeing > 200
    assert after_counting < 56


TOLD = ("OMP_WAIT_POLICY", "OPENBLAS_THREAD_TIMEOUT", "TORCH_CPP_LOG_LEVEL")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ["passive", "4", "ERROR"]),
        (dict(zip(TOLD, ("active", "26", "INFO"), strict=True)), ["active", "26", "INFO"]),
    ],
)
def test_threads_do_not_spin_and_torch_warns_in_no_lines_of_its_own_unless_the_user_says_otherwise(given, expected):
    around = {name: value for name, value in os.environ.items() if name not in TOLD} | given
    code = f"import os, sys, dlexp; print(*map(os.environ.get, {TOLD}), 'torch' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], env=around, capture_output=True, text=True, check=True).stdout
    assert said.split() == [*expected, "False"]


def test_what_numbers_are_rounded_to_is_said():
    def said(name: str, precision: str, tf32: bool) -> str:
        return device.say_rounding(torch.device(name), precision, tf32=tf32)

    assert said("cuda", "fp32", False) == said("cpu", "fp32", True) == said("mps", "fp32", True) == ""
    assert said("cuda", "fp32", True) == ", TF32 products"
    assert said("cuda", "bf16", True) == ", bf16, TF32 products"
    assert said("cpu", "bf16", False) == ", bf16"
    assert said("cuda", "fp64", True) == ", fp64"


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_deterministic_refuses_what_adds_in_any_order_and_says_so():
    device.configure(torch.device("cuda", 0), threads=None, tf32=False, deterministic=True)
    try:
        x = torch.ones(2, 3, 7, 7, device="cuda", requires_grad=True)
        with pytest.raises(RuntimeError) as caught:
            torch.nn.functional.adaptive_avg_pool2d(x, 2).sum().backward()
        assert "trainer.deterministic: got true; adaptive_avg_pool2d_backward_cuda" in str(
            name_fault_of_device(caught.value)
        )
    finally:
        device.configure(torch.device("cuda", 0), threads=None, tf32=False)
    assert not torch.are_deterministic_algorithms_enabled()


def test_a_card_is_chosen_without_beginning_cuda(two):
    assert device.choose("auto", is_elsewhere=True) == (torch.device("cuda", 0), "cuda:0 H100, 80.0 GiB")
    assert device.choose("cuda:1", is_elsewhere=True)[0] == torch.device("cuda", 1)
    described = device.describe(torch.device("cuda", 1))
    assert described is not None
    assert {"name": "H100", "capability": "9.0", "cudnn": "91002"}.items() <= described.items()


def test_a_sweep_plans_for_cards_without_beginning_cuda(two):
    config = resolve(["trainer.device=cuda", "data=iris", "model.widths=[4]", "tracking=none"]).config
    built = check_first(config, load_data(config))
    assert built.device_line == "cuda:0 H100, 80.0 GiB"
    assert Local().kind("auto") == "cuda"
    assert [place[VISIBLE] for place in Local().places("auto", 1)] == ["0", "1"]
    assert not torch.cuda.is_initialized()


@needs_no_cuda
def test_what_hides_the_devices_is_named(monkeypatch):
    monkeypatch.setenv(VISIBLE, "9")
    assert device.choose("auto")[1] == "cpu (no CUDA or MPS device was found with CUDA_VISIBLE_DEVICES=9)"
    with pytest.raises(ConfigError, match=r"sees 0 CUDA devices with CUDA_VISIBLE_DEVICES=9; choose auto or cpu"):
        device.choose("cuda")


@pytest.mark.skipif(torch.backends.mps.is_available(), reason="an MPS device is present")
def test_mps_where_there_is_none_is_one_line():
    with pytest.raises(ConfigError, match=r"^trainer.device: got mps; this machine has none; choose auto or cpu$"):
        device.choose("mps")
