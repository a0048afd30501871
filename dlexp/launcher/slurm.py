"""On a Slurm cluster: each program is a job of an array, which writes the run folders on a shared file system."""

import shlex
import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dlexp.error import ConfigError, did_you_mean
from dlexp.launcher import slurm_client as client
from dlexp.launcher.launcher import Crew, Held
from dlexp.type import Count, Name, NonNegativeInt, Positive

if TYPE_CHECKING:
    from dlexp.launcher.slurm_pool import SlurmPool

MOST_NOTICE = 90  # seconds before the limit at which a job is told; Slurm may be 60 s early


@dataclass(frozen=True)
class Slurm:
    """As job arrays of a Slurm cluster (Yoo et al. 2003), whose nodes share a file system and have the same versions.

    The programs of a round are an array; each job writes its trials' folders and adds what happens to a file. One that
    nears its time limit or is preempted saves a checkpoint and is queued again. The command may end meanwhile: given
    again, it goes on with the jobs that are there. Where a trial is trained changes no number on CPUs.

    Args:
        partition: Where jobs run; null: the cluster's default.
        account: What jobs are charged to; null: the user's default.
        gpus_per_node: GPUs of a job; with 1 or more trials train on CUDA.
        cpus_per_task: CPU cores of a job; null: the CPU threads of a trial.
        mem_gb: Memory of a job in GiB; null: the cluster's default.
        timeout_min: Time limit of a job in minutes.
        array_parallelism: Jobs that run at once at most; the trials of a round are divided among as many.
        setup: Lines of shell that a job begins with; null: none.
        modules: What a job loads by `module load`; null: nothing.
    """

    partition: Name | None = None
    account: Name | None = None
    gpus_per_node: NonNegativeInt = 0
    cpus_per_task: Count | None = None
    mem_gb: Positive | None = None
    timeout_min: Count = 60
    array_parallelism: Count = 8
    setup: list[str] | None = None
    modules: list[str] | None = None

    @property
    def is_distant(self) -> bool:
        """Workers are on other machines."""
        return True

    @property
    def is_shared(self) -> bool:
        """Workers see the runs folder."""
        return True

    @property
    def outlives(self) -> bool:
        """Jobs go on when the command ends."""
        return True

    @property
    def num_asked(self) -> int | None:
        """Jobs at once at most."""
        return self.array_parallelism

    def kind(self, device: str) -> str:
        """Return cuda for jobs that ask for GPUs, else cpu."""
        kind = device.partition(":")[0]
        given = "cuda" if self.gpus_per_node else "cpu"
        if kind not in ("auto", given):
            cure = "leave trainer.device=auto, and say with launcher.gpus_per_node whether trials get a GPU"
            raise ConfigError(f"trainer.device: got {device} with launcher=slurm; {cure}")
        return given

    def places(self, device: str, threads: int) -> list[dict[str, str]]:
        """Return one place for each job that may run at once."""
        self.kind(device)
        return [{} for _ in range(self.array_parallelism)]

    def require(self) -> None:
        """Ask Slurm whether it would take such jobs.

        Raises:
            ConfigError: Its commands are not there, or it would refuse the jobs.
            EnvironmentFault: It does not answer.
        """
        missing = [name for name in client.NEEDED if shutil.which(name) is None]
        if missing:
            cure = "run where Slurm's commands are, such as on the cluster's login node, or choose launcher=local"
            raise ConfigError(f"launcher: got slurm; there is no {missing[0]} on PATH; {cure}")
        self._require_partition()
        if refused := client.refusal(self.options(1), "#!/bin/sh\n"):
            raise ConfigError(f"launcher=slurm: Slurm would refuse such jobs: {refused}")

    def store(self, content: bytes) -> Held:
        """Return the content as it is."""
        return Held(content)

    def pool(self, crew: Crew, threads: int) -> "SlurmPool":
        """Return jobs of the cluster."""
        from dlexp.launcher.slurm_pool import SlurmPool

        return SlurmPool(crew, self, threads)

    def options(self, threads: int) -> list[str]:
        """Return what `sbatch` is told of every job.

        Args:
            threads: CPU threads of a trial.
        """
        notice = min(MOST_NOTICE, 15 * self.timeout_min)
        values = {
            "partition": self.partition,
            "account": self.account,
            "gpus-per-node": self.gpus_per_node or None,
            "cpus-per-task": self.cpus_per_task or threads,
            "mem": None if self.mem_gb is None else f"{round(self.mem_gb * 1024)}M",
            "time": self.timeout_min,
            "signal": f"B:USR2@{notice}",
        }
        given = [f"--{name}={value}" for name, value in values.items() if value is not None]
        return [*given, "--nodes=1", "--ntasks=1", "--requeue", "--open-mode=append"]

    def script(self, batch: str) -> str:
        """Return what a job runs: what the user says first, then Python in the shell's place, which gets the signals.

        Args:
            batch: Folder of the array.
        """
        modules = [f"module load {shlex.quote(name)}" for name in self.modules or []]
        run = f"exec {shlex.quote(sys.executable)} -m dlexp.launcher.job {shlex.quote(batch)}"
        return "\n".join(["#!/bin/bash", "trap '' USR2 TERM", *modules, *(self.setup or []), run, ""])

    def _require_partition(self) -> None:
        there = client.partitions()
        names = [partition.name for partition in there]
        if self.partition is not None and self.partition not in names:
            choice = f"choose of {', '.join(names) or 'none'}{did_you_mean(self.partition, names)}"
            raise ConfigError(f"launcher.partition: got {self.partition}; Slurm has no such partition; {choice}")
        chosen = [partition for partition in there if self.partition in (None, partition.name)][:1]
        for partition in chosen:
            if self.gpus_per_node > partition.num_gpus:
                most = f"the nodes of partition {partition.name} have {partition.num_gpus or 'none'}"
                raise ConfigError(f"launcher.gpus_per_node: got {self.gpus_per_node}; {most}")
