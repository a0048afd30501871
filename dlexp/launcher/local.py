"""On this machine: in this process, or in worker processes of it."""

import os
from dataclasses import dataclass

from dlexp import device as devices
from dlexp.error import ConfigError
from dlexp.gpu.child import VISIBLE
from dlexp.gpu.visible import visible_gpus
from dlexp.launcher.launcher import Crew, Held
from dlexp.launcher.process_pool import ProcessPool
from dlexp.type import Count, Name

SHARE = "DLEXP_GPU_SHARE"  # what of a GPU's free memory a process may plan with, where several have the same GPU


@dataclass(frozen=True)
class Local:
    """On this machine: in this process, or in worker processes, one for each GPU or each CPU core.

    Trials of equal structure are stacked where that is faster, in worker processes too. On CUDA there is always one: a
    GPU that fails takes its process along, and this one holds no memory there. What is trained where changes no number.

    Args:
        workers: Processes that train; 1: this one; null: `per_gpu` for each GPU, on CPU one for each core when the work
            is long enough to pay for starting them, else this one.
        gpus: Which of the visible GPUs, by number or by the name that CUDA_VISIBLE_DEVICES gives them (UUIDs and MIG
            slices are such names); null: all.
        per_gpu: Processes that share a GPU, each with its part of the free memory.
        devices: Devices that one training is divided over, for `dlexp train` alone: a process for each GPU, or CPU
            processes where there is none.

    Raises:
        ConfigError: More than one device for each trial or fold.
    """

    workers: Count | None = None
    gpus: list[Name] | None = None
    per_gpu: Count = 1
    devices: Count = 1

    def __post_init__(self) -> None:
        """Refuse what only a training by itself does."""
        if self.devices > 1:
            cure = "a trial or fold trains on one device; `dlexp train` is divided over many"
            raise ConfigError(f"launcher.devices: got {self.devices}; {cure}")

    @property
    def is_distant(self) -> bool:
        """Workers are on this machine."""
        return False

    @property
    def is_shared(self) -> bool:
        """Workers see the runs folder."""
        return True

    @property
    def outlives(self) -> bool:
        """Workers end with the command."""
        return False

    @property
    def num_asked(self) -> int | None:
        """Processes that the user asked for."""
        return self.workers

    def kind(self, device: str) -> str:
        """Return the kind of this machine's device."""
        return devices.choose(device, is_elsewhere=True)[0].type

    def require(self) -> None:
        """Refuse `gpus` that are not visible; this machine is there.

        Raises:
            ConfigError: `gpus` names one that is not visible.
        """
        if self.gpus is not None:
            self._gpus()

    def store(self, content: bytes) -> Held:
        """Return the content as it is."""
        return Held(content)

    def pool(self, crew: Crew, threads: int) -> ProcessPool:
        """Return worker processes of this one."""
        return ProcessPool(crew.make_work, crew.places, crew.preload, crew.descriptor)

    def places(self, device: str, threads: int) -> list[dict[str, str]]:
        """Return the environment variables of each process that may train; one without any stands for this one.

        Args:
            device: auto, cpu, mps, cuda or cuda:N.
            threads: CPU threads of each.

        Raises:
            ConfigError: `gpus` names one that is not visible.
        """
        gpus = self._gpus() if device in ("auto", "cuda") else []
        if gpus:
            num = self.workers or len(gpus) * self.per_gpu
            share = f"{min(1.0, len(gpus) / num):.3f}"
            return [{VISIBLE: gpus[i % len(gpus)], SHARE: share} for i in range(num)]
        if device.startswith("cuda:"):
            num = self.workers or 1
            return [{SHARE: f"{1 / num:.3f}"} for _ in range(num)]
        is_cpu = devices.choose(device, is_elsewhere=True)[0].type == "cpu"
        return [{} for _ in range(self.workers or (max(1, num_cores() // threads) if is_cpu else 1))]

    def _gpus(self) -> list[str]:
        visible = visible_gpus()
        if self.gpus is None:
            return visible
        by_name = {str(number): name for number, name in enumerate(visible)} | {name: name for name in visible}
        absent = [name for name in self.gpus if name not in by_name]
        if absent or not self.gpus:
            there = ", ".join(by_name) or "none"
            raise ConfigError(f"launcher.gpus: got {', '.join(absent) or '[]'}; choose of what is visible: {there}")
        return list(dict.fromkeys(by_name[name] for name in self.gpus))


def num_cores() -> int:
    """Return the CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
