"""Devices: which one, with what settings, and how much memory is free."""

import ctypes
import os
import re
import sys
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import psutil
import torch
from torch import nn
from torch.nn.modules.conv import _ConvNd

from dlexp.error import ConfigError
from dlexp.gpu.child import setting
from dlexp.gpu.look import Card, cards
from dlexp.number import noun

SMALL_STEP = 1e8  # operations
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # glibc's malloc.h
LARGEST_INT = 2**31 - 1
SMALL_BYTES = 2**28  # what any machine has; the free memory is not asked for
GIB = 2**30
TORCH_THREADS = torch.get_num_threads()  # torch's choice for this machine, before a program sets its own
# "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  ...", or "... Open Kernel Module for x86_64  580..."
DRIVER = Path("/proc/driver/nvidia/version")


def choose(
    name: str, *, is_elsewhere: bool = False, key: str = "trainer.device", cure: str = "choose auto or cpu"
) -> tuple[torch.device, str]:
    """Return the device for a name, and a line for the user that says which and why.

    Args:
        name: auto, cpu, mps, cuda or cuda:N.
        is_elsewhere: Other processes compute on it; CUDA does not begin in this one.
        key: What the name was given by, for the message.
        cure: Its last words.

    Raises:
        ConfigError: The device was asked for by name and is not there.
    """
    has_mps = torch.backends.mps.is_available()
    if name == "auto":
        name = "cuda" if cards(is_elsewhere=is_elsewhere) else "mps" if has_mps else "cpu"
        hidden = f" with {setting()}" if setting() else ""
        why = "" if name != "cpu" else f" (no CUDA or MPS device was found{hidden})"
    else:
        why = ""
    if name == "mps" and not has_mps:
        raise ConfigError(f"{key}: got mps; this machine has none; {cure}")
    if name.startswith("cuda"):
        return _cuda(name, cards(is_elsewhere=is_elsewhere), key, cure)
    return torch.device(name), f"{name}{why}"


def _cuda(name: str, there: list[Card], key: str, cure: str) -> tuple[torch.device, str]:
    index = int(name.partition(":")[2] or 0)
    if index >= len(there):
        built = "built without CUDA" if torch.version.cuda is None else f"built for CUDA {torch.version.cuda}"
        seen = f"sees {noun(len(there), 'CUDA device')}{f' with {setting()}' if setting() else ''}"
        raise ConfigError(f"{key}: got {name}; torch ({built}) {seen}; {cure}")
    device = torch.device("cuda", index)
    # Not the free memory: to ask for it takes some of it, for as long as the process lives.
    return device, f"{device} {there[index].name}, {there[index].total / GIB:.1f} GiB"


def say_rounding(device: torch.device, precision: str, *, tf32: bool) -> str:
    """Return, for the user, what numbers are rounded to beside float32: ", bf16", ", TF32 products"; "" for nothing."""
    is_tf32 = tf32 and device.type == "cuda" and precision != "fp64"
    return ("" if precision == "fp32" else f", {precision}") + (", TF32 products" if is_tf32 else "")


def describe(device: torch.device) -> dict[str, str] | None:
    """Return what a CUDA device's numbers depend on: card, capability, CUDA, cuDNN and driver; None for another."""
    if device.type != "cuda":
        return None
    card = cards(is_elsewhere=True)[device.index or 0]
    major, minor = card.capability
    about = {
        "name": card.name,
        "capability": f"{major}.{minor}",
        "cuda": torch.version.cuda or "unknown",
        "cudnn": card.cudnn,
    }
    with suppress(OSError):
        version = re.search(r"\s(\d+(?:\.\d+)+)\s", DRIVER.read_text())
        about |= {"driver": version[1]} if version else {}
    return about


def send(tensor: torch.Tensor, device: torch.device | str) -> torch.Tensor:
    """Return a tensor on a device; float64 becomes float32 on mps, which has none."""
    is_narrowed = torch.device(device).type == "mps" and tensor.dtype == torch.float64
    return (tensor.float() if is_narrowed else tensor).to(device)


def free_bytes(device: torch.device) -> int:
    """Return the free memory of a device; of the machine for cpu and mps."""
    if device.type == "cuda":
        cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(
            device
        )  # by torch, for what comes next
        return torch.cuda.mem_get_info(device)[0] + cached
    hand_back()  # what this process keeps is free, too
    return psutil.virtual_memory().available


def pinned(tensor: torch.Tensor, device: torch.device | str) -> torch.Tensor:
    """Return a tensor of the CPU in memory from which a CUDA device takes it without the host waiting.

    Raises:
        RuntimeError: A graph is being captured, which would read the memory again when it holds something else.
    """
    if torch.device(device).type != "cuda":
        return tensor
    if torch.cuda.is_current_stream_capturing():
        raise RuntimeError("numbers of the host are sent to the device, which a graph cannot repeat")
    return tensor.pin_memory()


def send_soon(tensor: torch.Tensor, device: torch.device | str) -> torch.Tensor:
    """Return a tensor of the CPU on a device; the host does not wait for it."""
    return pinned(tensor, device).to(device, non_blocking=True)


def take_rows(tensor: torch.Tensor, rows: list[int]) -> torch.Tensor:
    """Return the chosen rows of a tensor; the host does not wait, as it does for a list as an index."""
    return tensor.index_select(0, send_soon(torch.tensor(rows, dtype=torch.int64), tensor.device))


def synchronize(device: torch.device) -> None:
    """Wait until a device has done all that it was told; a CPU has."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def clock(device: torch.device) -> float:
    """Return the seconds of a clock when a device has done all that it was told."""
    synchronize(device)
    return time.perf_counter()


def require_bytes(needed: int, device: torch.device, what: str, cure: str) -> None:
    """Refuse what cannot fit a device's free memory before it is allocated.

    Args:
        needed: Bytes.
        device: Where they would be.
        what: The first words of the message: what needs them.
        cure: Its last words.

    Raises:
        ConfigError: Fewer bytes are free.
    """
    if needed <= SMALL_BYTES:
        return
    free = free_bytes(device)
    if needed > free:
        message = f"need {needed / GIB:,.1f} GiB; {free / GIB:,.1f} GiB are free on {device}"
        raise ConfigError(f"{what} {message}: {cure}")


def threads_of(trainer: dict[str, Any], device: torch.device) -> int | None:
    """Return the CPU threads of trials that choose no other: `trainer.threads`, else torch's choice; None on a GPU."""
    return (given_threads(trainer["threads"]) or TORCH_THREADS) if device.type == "cpu" else None


def given_threads(threads: str | int | None) -> int | None:
    """Return `trainer.threads` where it is a number; None where it leaves the number open."""
    return threads if isinstance(threads, int) else None


def configure(device: torch.device, *, threads: int | None, tf32: bool, deterministic: bool = False) -> None:
    """Set what torch keeps for a whole process: CPU threads, TF32, deterministic algorithms.

    Args:
        device: Where to compute.
        threads: Of the CPU; None leaves torch's choice.
        tf32: Let CUDA round the inputs of products to TF32.
        deterministic: Refuse CUDA operators that add in another order each time. cuBLAS is told by
            CUBLAS_WORKSPACE_CONFIG (NVIDIA, cuBLAS documentation, Results Reproducibility), which it reads when it is
            first used.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    if device.type == "cpu":
        keep_freed_memory()
    if device.type == "cuda":
        torch.cuda.set_device(device)  # streams and captures that name no device are the current one's
        torch.backends.cuda.matmul.allow_tf32 = tf32
        torch.backends.cudnn.allow_tf32 = tf32
        torch.backends.cudnn.deterministic = True
        if deterministic:
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        if torch.are_deterministic_algorithms_enabled() != deterministic:  # to set it imports torch's compiler
            torch.use_deterministic_algorithms(deterministic)
        torch.utils.deterministic.fill_uninitialized_memory = False  # pyright: ignore[reportAttributeAccessIssue]: a property


@cache
def keep_freed_memory() -> bool:
    """Have glibc keep freed memory for the next update instead of handing large blocks back; False where it is absent.

    A block handed back is paged in again at the next update: with VGG-11 on 32x32 images 20,000 page faults and a third
    of its time. The price: a process does not shrink before it ends.
    """
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "gnu_get_libc_version"):
        return False
    return bool(libc.mallopt(M_MMAP_MAX, 0) and libc.mallopt(M_TRIM_THRESHOLD, LARGEST_INT))


def hand_back() -> None:
    """Hand freed memory that `keep_freed_memory` keeps back to the system; what comes next pages it in again."""
    if keep_freed_memory():
        ctypes.CDLL(None).malloc_trim(0)


def suggest_threads(model: nn.Module, batch_size: int) -> int | None:
    """Return 1 for a small dense model on CPU, None for torch's own choice.

    Threads wait for each other after every kernel: a small model gains nothing from a second one and loses much as
    soon as the machine does anything else. A step of a dense model is about 6 * parameters * batch operations.
    """
    is_dense = not any(isinstance(module, _ConvNd) for module in model.modules())
    operations = 6 * batch_size * sum(p.numel() for p in model.parameters())
    return 1 if is_dense and operations < SMALL_STEP else None
