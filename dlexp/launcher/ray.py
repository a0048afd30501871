"""On a Ray cluster: workers are Ray actors, which write the run folders on a shared file system or send them back."""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dlexp.error import ConfigError
from dlexp.launcher.launcher import Crew
from dlexp.type import Count, NonNegative

if TYPE_CHECKING:
    from dlexp.launcher.ray_pool import InStore, RayPool


@dataclass(frozen=True)
class Ray:
    """On the nodes of a Ray cluster (Moritz et al. 2018), which have the same versions, and share a file system or not.

    A worker takes the next group as soon as it is free. A node that is lost is no trial's fault: its group goes on
    elsewhere from the checkpoints. Where a trial is trained changes no number on CPUs.

    Args:
        address: Of the cluster: auto for the one that this machine belongs to, local for one of this machine alone
            that ends with the command, or HOST:PORT.
        workers: Workers at most; null: as many as the cluster has room for.
        cpus_per_worker: CPU cores that a worker asks for; null: the CPU threads of a trial.
        gpus_per_worker: GPUs that a worker asks for, fractions to share one; with more than 0 trials train on CUDA.
        shared: Whether all nodes see the runs folder. If not, a worker trains in a folder of its own, which comes back
            with its hash when a trial ends or is told to stop; what a lost node had begun is trained anew.
    """

    address: str = "auto"
    workers: Count | None = None
    cpus_per_worker: Count | None = None
    gpus_per_worker: NonNegative = 0.0
    shared: bool = True

    @property
    def is_distant(self) -> bool:
        """Workers may be on other machines."""
        return True

    @property
    def is_shared(self) -> bool:
        """Whether workers see the runs folder."""
        return self.shared

    @property
    def outlives(self) -> bool:
        """Workers end with the command."""
        return False

    @property
    def num_asked(self) -> int | None:
        """Workers at most."""
        return self.workers

    def kind(self, device: str) -> str:
        """Return cuda for workers that ask for GPUs, else cpu."""
        kind = device.partition(":")[0]
        given = "cuda" if self.gpus_per_worker else "cpu"
        if kind not in ("auto", given):
            cure = "leave trainer.device=auto, and say with launcher.gpus_per_worker whether trials get a GPU"
            raise ConfigError(f"trainer.device: got {device} with launcher=ray; {cure}")
        return given

    def places(self, device: str, threads: int) -> list[dict[str, str]]:
        """Return one place for each worker that the user asked for; the cluster has the last word."""
        self.kind(device)
        return [{} for _ in range(self.workers or 1)]

    def require(self) -> None:
        """Join the cluster.

        Raises:
            ConfigError: Ray is missing.
            EnvironmentFault: There is no cluster.
        """
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        if self.address == "local":  # Ray would take a loopback address for the machine's, which others can reach
            os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
        try:
            from dlexp.launcher.ray_pool import connect
        except ImportError:
            raise ConfigError("launcher: got ray; it needs Ray: pip install 'dlexp[ray]'") from None
        connect(self.address)

    def store(self, content: bytes) -> "InStore":
        """Return a content that a node gets once, when its first worker reads it."""
        from dlexp.launcher.ray_pool import InStore

        return InStore.of(content)

    def pool(self, crew: Crew, threads: int) -> "RayPool":
        """Return actors of the cluster.

        Raises:
            EnvironmentFault: There is no room in it for a worker.
        """
        from dlexp.launcher.ray_pool import RayPool

        request = {"num_cpus": self.cpus_per_worker or threads, "num_gpus": self.gpus_per_worker}
        return RayPool(crew, request, self.workers, is_shared=self.shared)
