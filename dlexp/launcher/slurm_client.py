"""Slurm's commands, as far as a driver needs them: `sbatch`, `squeue`, `scancel`, `sinfo`.

States are asked of `squeue` alone: `sacct` needs accounting, which many clusters lack. Jobs are known by their name and
index, which are given before they are submitted, so that no driver can lose one.
"""

import os
import re
import subprocess
from dataclasses import dataclass

from dlexp.error import ConfigError, EnvironmentFault

NEEDED = ("sbatch", "squeue", "scancel", "sinfo")
PATIENCE = 60  # seconds for a command
ENDED = ("BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "TIMEOUT")
CRASHED = ("COMPLETED", "FAILED", "OUT_OF_MEMORY")  # of its own doing, when its task came to no end


@dataclass(frozen=True)
class State:
    """What the queue says of a job.

    Attributes:
        name: PENDING, RUNNING, FAILED and so on, in Slurm's words.
        node: Where it is or was; "" while it waits.
        reason: Why it waits.
    """

    name: str
    node: str
    reason: str


def submit(options: list[str], script: str) -> str:
    """Submit a script; return the job's number.

    Raises:
        ConfigError: Slurm refuses it; its own words say why.
    """
    done = _call(["sbatch", "--parsable", *options], script)
    if done.returncode:
        raise ConfigError(f"launcher=slurm: sbatch refused the job: {_told(done.stderr)}")
    return done.stdout.strip().partition(";")[0]


def refusal(options: list[str], script: str) -> str | None:
    """Return why Slurm would refuse such a job; None where it would take it."""
    done = _call(["sbatch", "--test-only", *options], script)
    return _told(done.stderr) if done.returncode else None


def states() -> dict[tuple[str, int], State] | None:
    """Return the state of each job of this user that Slurm remembers, by name and index; None where it does not say."""
    done = _call(["squeue", "--me", "--noheader", "--array", "--states=all", "--format=%K|%T|%N|%r|%j"])
    if done.returncode:
        return None
    told: dict[tuple[str, int], State] = {}
    for line in done.stdout.splitlines():
        index, state, node, reason, name = line.split("|", 4)
        if index.isdecimal():
            told[name, int(index)] = State(state, node, reason)
    return told


def cancel(name: str, *, is_waiting: bool = False) -> None:
    """Take all jobs of a name away, or those that still wait."""
    _call(["scancel", "--quiet", f"--name={name}", *(["--state=PENDING"] if is_waiting else [])])


@dataclass(frozen=True)
class Partition:
    """A partition as `sinfo` describes it.

    Attributes:
        name: Its name.
        is_up: Whether it takes jobs.
        num_gpus: GPUs of its best node.
        num_nodes: Nodes.
    """

    name: str
    is_up: bool
    num_gpus: int
    num_nodes: int


def partitions() -> list[Partition]:
    """Return the partitions that this user may see, the default one first.

    Raises:
        EnvironmentFault: Slurm does not answer.
    """
    done = _call(["sinfo", "--noheader", "--format=%P|%a|%G|%D"])
    if done.returncode:
        raise EnvironmentFault(f"launcher=slurm: Slurm does not answer: {_told(done.stderr)}")
    by_name: dict[str, Partition] = {}
    default = ""
    for line in done.stdout.splitlines():
        name, is_up, gres, nodes = line.split("|")
        default = name[:-1] if name.endswith("*") else default
        name = name.rstrip("*")
        before = by_name.get(name, Partition(name, False, 0, 0))
        gpus, num = max(before.num_gpus, _num_gpus(gres)), before.num_nodes + int(nodes)
        by_name[name] = Partition(name, is_up == "up", gpus, num)
    return sorted(by_name.values(), key=lambda partition: partition.name != default)


def _num_gpus(gres: str) -> int:
    """Return the GPUs in a node's generic resources, such as "gpu:a100:4(S:0,1),shard:8"."""
    return sum(int(number) for number in re.findall(r"\bgpu:(?:[^:,()]+:)?(\d+)", gres))


def _told(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    words = "; ".join(line.removeprefix("sbatch: ").removeprefix("error: ") for line in lines)
    return words[:300] or "it gave no reason"


def _call(command: list[str], script: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command without what a job of Slurm's, in which the driver itself may run, would hand on to its own."""
    environment = {name: text for name, text in os.environ.items() if not _is_of_job(name)}
    try:
        return subprocess.run(
            command, input=script, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except FileNotFoundError:
        raise ConfigError(f"launcher: got slurm; there is no {command[0]} on PATH; run where Slurm's are") from None
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", f"no answer within {PATIENCE} s")


def _is_of_job(name: str) -> bool:
    return name.startswith(("SLURM_", "SLURMD_", "SBATCH_")) and name != "SLURM_CONF"
