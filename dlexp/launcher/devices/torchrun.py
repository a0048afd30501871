"""Starts the processes of a training over the devices of this machine, as torchrun does, and waits for them."""

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dlexp.error import ConfigError, EnvironmentFault
from dlexp.number import noun

GRACE = 60  # seconds from a signal to the end, for a checkpoint
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)  # that torch passes on
LOOPBACK = {"linux": "lo", "darwin": "lo0"}


def start(devices: int, arguments: list[str], device: str) -> int:
    """Run `dlexp` with the same arguments once for each device; return the exit code.

    A signal goes to all of them, which write a checkpoint; when one ends badly, the others are ended.

    Args:
        devices: How many.
        arguments: After `dlexp`.
        device: auto, cpu, mps, cuda or cuda:N, as the user chose.

    Raises:
        ConfigError: There are fewer devices.
        EnvironmentFault: A process was ended by a signal.
    """
    _require_devices(devices, device)
    from torch.distributed.elastic.multiprocessing import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    os.environ.setdefault("GLOO_SOCKET_IFNAME", LOOPBACK.get(sys.platform, "lo"))
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=devices,
        run_id=f"dlexp-{os.getpid()}",
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=0,
        monitor_interval=0.1,
        shutdown_timeout=GRACE,
    )
    with _quiet():
        try:
            elastic_launch(config, sys.executable)("-m", "dlexp", *arguments)
        except ChildFailedError as error:
            return _code(*error.get_first_failure(), devices)
        except SignalException as stopped:
            return 128 + stopped.sigval
    return 0


@contextmanager
def _quiet() -> Iterator[None]:
    """Say nothing in torch's words of what dlexp says in its own, and leave signals to whom they were left before."""
    handlers = {signum: signal.getsignal(signum) for signum in SIGNALS}
    logging.disable()
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
        for signum, handler in handlers.items():
            signal.signal(signum, handler)


def _code(rank: int, failure: Any, devices: int) -> int:
    """Return the exit code of the process that ended first."""
    code = failure.exitcode
    if code >= 0:
        return code
    name = signal.Signals(-code).name
    raise EnvironmentFault(
        f"launcher.devices: process {rank} of {devices} was ended by {name}; the last checkpoint is intact, go on with "
        f"`dlexp train --resume last launcher.devices={devices}`"
    )


def _require_devices(devices: int, device: str) -> None:
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    is_cuda = device.startswith("cuda") or (device == "auto" and count > 0)
    if is_cuda and devices > count:
        cure = "choose fewer, or trainer.device=cpu"
        raise ConfigError(f"launcher.devices: got {devices}; torch sees {noun(count, 'CUDA device')}: {cure}")
