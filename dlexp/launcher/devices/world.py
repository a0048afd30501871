"""The processes of one training over many devices, as torchrun starts them; or the only one.

torchrun tells each process its rank among all and on its machine by the environment. Only where it says that there are
several is torch.distributed imported.
"""

import os
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import Any, TypeVar

from dlexp.engine.exchange.exchange import ALONE, Exchange
from dlexp.error import ConfigError, DlexpError, EnvironmentFault, first_line
from dlexp.launcher.devices.launched import is_launched, leave, number
from dlexp.number import noun
from dlexp.type import Config

T = TypeVar("T")
TIMEOUT = timedelta(minutes=30)  # that one process may wait for another, such as for the first's checkpoint


class World:
    """A process that is all there is.

    Attributes:
        rank: Number of this process among all; the first one writes.
        size: Processes.
        exchange: Between their devices.
        restarts: How often torchrun has started all of them again.
        agent: Names the torchrun that started this one; "" for none.
    """

    rank: int = 0
    size: int = 1
    restarts: int = 0
    agent: str = ""
    exchange: Exchange = ALONE

    def together(self, act: Callable[[], T]) -> T:
        """Return what `act` returns, once all have done it; where it fails in one it fails in all. Collective.

        Raises:
            DlexpError: In the first process: its own, or that of another with its number.
            SystemExit: In every other process: the first one says what there is to say.
        """
        return act()

    def share(self, value: T) -> T:
        """Return what the first process has. Collective."""
        return value

    def require_same(self, facts: dict[str, str]) -> None:
        """Check that all processes work at the same. Collective.

        Args:
            facts: Texts that have to be equal, by what they say something of.

        Raises:
            ConfigError: In the first process: they are not.
            SystemExit: In every other process.
        """

    def place(self, config: Config) -> Config:
        """Return a configuration with the device of this process.

        Raises:
            ConfigError: There is none for it.
        """
        return config

    def close(self) -> None:
        """Leave the others."""


SINGLE = World()


class Joined(World):
    """One of several processes that torchrun started.

    Raises:
        EnvironmentFault: The others are not there.
    """

    def __init__(self) -> None:
        import torch
        import torch.distributed as dist

        from dlexp.engine.exchange.collective import Collective

        self._dist = dist
        self.local_rank, self.restarts = number("LOCAL_RANK", 0), number("TORCHELASTIC_RESTART_COUNT", 0)
        self.local_size = number("LOCAL_WORLD_SIZE", 1)
        self.agent = f"{os.environ.get('TORCHELASTIC_RUN_ID', '')}/{os.getppid()}"
        self._has_cuda = torch.cuda.is_available()
        if self._has_cuda and self.local_rank < torch.cuda.device_count():
            torch.cuda.set_device(self.local_rank)
        try:
            dist.init_process_group("cpu:gloo,cuda:nccl" if self._has_cuda else "gloo", timeout=TIMEOUT)
        except (RuntimeError, ValueError) as error:
            what = f"got {os.environ.get('WORLD_SIZE')}; the processes did not meet ({first_line(error)})"
            raise EnvironmentFault(f"WORLD_SIZE: {what}; start all of them with torchrun") from error
        self.exchange = Collective()
        self.rank, self.size = self.exchange.rank, self.exchange.size

    def together(self, act: Callable[[], T]) -> T:
        """See `World`."""
        fault: Exception | None = None
        value: Any = None
        try:
            value = act()
        except Exception as error:
            fault = error
        told = self._all(None if fault is None else _describe(fault))
        first = next((rank for rank, line in enumerate(told) if line is not None), None)
        if first is None:
            return value
        if self.rank:
            leave(told[first][1])
        if fault is not None:
            raise fault
        kind, code, message = told[first]
        error = DlexpError(f"process {first} of {self.size}: {message}")
        error.kind, error.exit_code = kind, code
        raise error

    def share(self, value: T) -> T:
        """See `World`."""
        box = [value if self.rank == 0 else None]
        self._dist.broadcast_object_list(box, src=0)
        shared: Any = box[0]
        return shared

    def require_same(self, facts: dict[str, str]) -> None:
        """See `World`."""
        told = self._all(facts)
        for rank, others in enumerate(told):
            for what, text in told[0].items():
                if others.get(what) != text:
                    cure = "start all with the same settings, files and version"
                    line = f"process {rank} of {self.size}: got another {what} than process 0; {cure}"
                    if self.rank:
                        leave(ConfigError.exit_code)
                    raise ConfigError(line)

    def place(self, config: Config) -> Config:
        """See `World`."""
        import torch

        name = config["trainer"]["device"]
        if name not in ("auto", "cuda", "cpu"):
            raise ConfigError(
                f"trainer.device: got {name}; over many devices each process has its own: choose auto, cuda or cpu"
            )
        if name == "cpu" or (name == "auto" and not self._has_cuda):
            device = "cpu"
        else:
            device, count = f"cuda:{self.local_rank}", torch.cuda.device_count()
            if self._has_cuda and self.local_rank >= count:
                there = noun(count, "CUDA device")
                raise ConfigError(
                    f"devices: got {noun(self.local_size, 'process')} on a machine with {there}; start fewer"
                )
        return {**config, "trainer": {**config["trainer"], "device": device}}

    def close(self) -> None:
        """See `World`."""
        self._dist.destroy_process_group()

    def _all(self, value: Any) -> list[Any]:
        told: list[Any] = [None] * self.size
        self._dist.all_gather_object(told, value)
        return told


@cache
def join() -> World:
    """Return the processes of this training, which meet at the first call; the only one where there are no others."""
    return Joined() if is_launched() else SINGLE


def _describe(error: Exception) -> tuple[str, int, str]:
    if isinstance(error, DlexpError):
        return error.kind, error.exit_code, str(error)
    return "run", 1, f"{type(error).__name__}: {first_line(error)}"
