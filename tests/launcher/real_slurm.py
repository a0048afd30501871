"""A real Slurm of one node on this machine, in network and host-name namespaces of its own, for tests.

Needs root, and Debian's slurm-wlm and munge. Its commands are put on PATH as scripts that enter the namespaces.
"""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

COMMANDS = ("sbatch", "squeue", "scancel", "scontrol", "sinfo")
NEEDED = (*COMMANDS, "slurmctld", "slurmd", "munged", "unshare", "nsenter", "ip")
CONF = """
ClusterName=h
SlurmctldHost=localhost(127.0.0.1)
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CryptoType=crypto/munge
AuthInfo=socket={folder}/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MpiDefault=none
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0,requeue_delay=1
JobCompType=jobcomp/none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
KillWait=5
GresTypes=gpu
JobRequeue=1
NodeName=localhost NodeAddr=127.0.0.1 CPUs=2 RealMemory=4000 Gres=gpu:2 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
"""


def obstacle() -> str | None:
    """Return why there can be none here; None where there can."""
    absent = [name for name in NEEDED if shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None]
    if os.geteuid() != 0:
        return "a Slurm of its own needs root"
    return f"needs Debian's slurm-wlm and munge: {', '.join(absent)} not installed" if absent else None


@contextmanager
def real_slurm() -> Iterator[Path]:
    """Start it; yield the folder of its commands."""
    folder = Path(tempfile.mkdtemp(prefix="slurm"))  # short: a socket's path has 108 bytes
    folder.chmod(0o755)
    holder = _namespaces()
    enter = ["nsenter", "-t", str(holder.pid), "-n", "-u"]
    environment = {**os.environ, "SLURM_CONF": f"{folder}/slurm.conf", "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
    try:
        _write(folder, enter)
        _start(folder, enter, environment)
        yield folder / "bin"
    finally:
        for name in ("slurmd", "slurmctld", "munged"):
            with suppress(OSError, ValueError):
                os.kill(int((folder / f"{name}.pid").read_text()), signal.SIGKILL)
        holder.kill()
        holder.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _namespaces() -> subprocess.Popen:
    script = "hostname localhost; ip link set lo up; ip addr add 127.0.0.2/8 dev lo; echo up; exec sleep 3600"
    holder = subprocess.Popen(["unshare", "-n", "-u", "sh", "-c", script], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"up\n"
    holder.stdout.close()
    return holder


def _write(folder: Path, enter: list[str]) -> None:
    for name in ("state", "spool", "bin"):
        (folder / name).mkdir()
    for number in range(2):
        (folder / f"gpu{number}").touch()
    (folder / "key").write_bytes(secrets.token_bytes(128))
    (folder / "key").chmod(0o400)
    (folder / "slurm.conf").write_text(CONF.format(folder=folder))
    (folder / "gres.conf").write_text(f"NodeName=localhost Name=gpu File={folder}/gpu[0-1]\n")
    (folder / "cgroup.conf").write_text("CgroupAutomount=no\nConstrainDevices=no\n")
    for name in COMMANDS:
        script = folder / "bin" / name
        program = shutil.which(name)
        script.write_text(f'#!/bin/sh\nSLURM_CONF={folder}/slurm.conf exec {" ".join(enter)} {program} "$@"\n')
        script.chmod(0o755)


def _start(folder: Path, enter: list[str], environment: dict[str, str]) -> None:
    munge = {"key-file": "key", "socket": "munge", "pid-file": "munged.pid", "log-file": "munged.log"}
    options = [f"--{option}={folder}/{name}" for option, name in {**munge, "seed-file": "seed"}.items()]
    for command in (["munged", "--force", *options], ["slurmctld"], ["slurmd", "-N", "localhost"]):
        subprocess.run([*enter, *command], env=environment, check=True, stdin=subprocess.DEVNULL, capture_output=True)
    deadline = time.monotonic() + 60
    while _state(folder) != "idle":
        assert time.monotonic() < deadline, (folder / "slurmctld.log").read_text()
        time.sleep(0.2)


def _state(folder: Path) -> str:
    told = subprocess.run([folder / "bin" / "sinfo", "-h", "-o", "%T"], capture_output=True, text=True)
    return told.stdout.strip()
