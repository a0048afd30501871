"""On this machine: in this process, or in worker processes of it."""

import os
from dataclasses import dataclass

import torch

from dlexp import device as devices
from dlexp.type import Count

VISIBLE = "CUDA_VISIBLE_DEVICES"
SHARE = "DLEXP_GPU_SHARE"  # what of a GPU's free memory a process may plan with, where several have the same GPU


@dataclass(frozen=True)
class Local:
    """On this machine: in this process, or in worker processes, one for each GPU or each CPU core.

    Trials of equal structure are stacked where that is faster, in worker processes too. On CUDA there is always one: a
    GPU that fails takes its process along, and this one holds no memory there. What is trained where changes no number.

    Args:
        workers: Processes that train; 1: this one; null: one for each visible GPU when there are several, on CPU one
            for each core when the work is long enough to pay for starting them, else this one.
    """

    workers: Count | None = None

    def places(self, device: str, threads: int) -> list[dict[str, str]]:
        """Return the environment variables of each process that may train; one without any stands for this one.

        Args:
            device: auto, cpu, mps, cuda or cuda:N.
            threads: CPU threads of each.
        """
        gpus = visible_gpus() if device in ("auto", "cuda") else []
        if gpus:
            num = self.workers or len(gpus)
            share = f"{min(1.0, len(gpus) / num):.3f}"
            return [{VISIBLE: gpus[i % len(gpus)], SHARE: share} for i in range(num)]
        if device.startswith("cuda:"):
            num = self.workers or 1
            return [{SHARE: f"{1 / num:.3f}"} for _ in range(num)]
        is_cpu = devices.choose(device)[0].type == "cpu"
        return [{} for _ in range(self.workers or (max(1, num_cores() // threads) if is_cpu else 1))]


def visible_gpus() -> list[str]:
    """Return what makes each visible CUDA device visible alone."""
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    named = [name.strip() for name in os.environ.get(VISIBLE, "").split(",") if name.strip()]
    return named[:count] if named else [str(index) for index in range(count)]


def num_cores() -> int:
    """Return the CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
