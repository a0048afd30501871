"""Processes of this machine that train together over gloo, as torchrun starts them: forked from a server with torch."""

import faulthandler
import json
import multiprocessing
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from dlexp.build.program import assemble
from dlexp.config.resolve import resolve
from dlexp.engine.event import EpochEnd
from dlexp.engine.exchange.exchange import ALONE, Exchange
from dlexp.engine.snapshot import snapshot
from dlexp.job.train import devices
from dlexp.job.train import train as job
from dlexp.launcher.devices.world import SINGLE, World, join
from dlexp.run.folder import RunFolder
from tests.command import run as command
from tests.picture import blank

PATIENCE = 240  # seconds, of a loaded machine, after which the processes wait for each other for ever
SMALL = {
    "data.limit": "150",
    "trainer.epochs": "2",
    "trainer.threads": "1",
    "trainer.precision": "fp64",
    "trainer.device": "cpu",
    "tracking": "none",
}
SYNCED = [
    "norm.sync=true",
    "dropout=inverted",
    "optimizer=adam",
    "trainer.shard=true",
    "trainer.batch_size=31",
    "trainer.epochs=3",
]
Scene = Callable[[Callable[[], World], Path], Any]


def small(*overrides: str) -> list[str]:
    """Return overrides of a training of a second, in float64."""
    chosen = SMALL | dict(override.split("=", 1) for override in overrides)
    return [f"{key}={value}" for key, value in chosen.items()]


def numbers(overrides: list[str], exchange: Exchange = ALONE) -> dict[str, Any]:
    """Train once; return the metrics of each epoch, and weights and state at the end."""
    run = assemble(resolve(small(*overrides)).config, exchange=exchange).run
    epochs = [event.metrics for event in run.events() if isinstance(event, EpochEnd)]
    weights, state = snapshot(run)
    return {"epochs": epochs, "weights": weights, "state": state["step"]}


def stopped(overrides: list[str], runs_dir: Path, at_epoch: int, world: World = SINGLE) -> str:
    """Train until a signal comes to the first process after an epoch; return how it ended, "" in another process."""
    composed = resolve([*small(*overrides), f"runs_dir={runs_dir}"])
    if world.rank:
        devices.attend(composed.config, world, open_test=False)
        return ""

    def announce(_about):
        def listen(event):
            if isinstance(event, EpochEnd) and event.epoch == at_epoch:
                os.kill(os.getpid(), signal.SIGTERM)  # SIGINT is ignored in what a shell began in the background

        return listen

    return job.start(composed, announce=announce, world=world).result["status"]


def told(folder: Path, *arguments: str) -> list[Any]:
    """Run a command; return its exit code, stdout and stderr."""
    folder.mkdir(exist_ok=True)
    done = command(folder, *arguments)
    return [done.returncode, done.stdout, done.stderr]


def together(scenes: dict[str, Scene], folder: Path, size: int = 2) -> dict[str, list[Any]]:
    """Have each scene played by a number of processes; return what each of them makes of it, by its name.

    Args:
        scenes: Functions of a module, each called with the processes, before they have met, and the folder.
        folder: Of all scenes.
        size: Processes.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    ports = _free_ports(len(scenes))
    members = [context.Process(target=_play, args=(rank, size, scenes, ports, folder)) for rank in range(size)]
    for member in members:
        member.start()
    for member in members:
        member.join(PATIENCE)
        member.kill()
    assert [member.exitcode for member in members] == [0] * size
    played = [torch.load(folder / f"{rank}.pt") for rank in range(size)]
    return {name: [each[name] for each in played] for name in scenes}


def _play(rank: int, size: int, scenes: dict[str, Scene], ports: list[int], folder: Path) -> None:
    import torch.distributed as dist

    torch.set_num_threads(1)
    # a pool that ran in this process before has started the server of forks with these blocked
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    faulthandler.dump_traceback_later(max(10, PATIENCE - 20), exit=True)
    os.environ.update(RANK=str(rank), WORLD_SIZE=str(size), LOCAL_RANK=str(rank), LOCAL_WORLD_SIZE=str(size))
    os.environ.update(MASTER_ADDR="127.0.0.1", GLOO_SOCKET_IFNAME="lo")
    played = {}
    with blank():
        for (name, scene), port in zip(scenes.items(), ports, strict=True):
            os.environ["MASTER_PORT"] = str(port)
            played[name] = scene(join, folder)
            join.cache_clear()
            if dist.is_initialized():  # a command that failed leaves its group, as its process ends
                dist.destroy_process_group()
    torch.save(played, folder / f"{rank}.pt")
    faulthandler.cancel_dump_traceback_later()


def _free_ports(num: int) -> list[int]:
    """Return ports of this machine that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(num)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def history(path: Path) -> list[dict[str, Any]]:
    """Return the metrics of each epoch of a run, without times."""
    records = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in record.items() if key not in ("seconds", "time")} for record in records]


def run_in(runs_dir: Path) -> RunFolder:
    """Return the only run of a folder of runs."""
    (manifest,) = runs_dir.glob("*/*/manifest.json")
    return RunFolder(manifest.parent)


def assert_same_numbers(records: list[dict[str, Any]], others: list[dict[str, Any]]) -> None:
    """Hold the epochs of two runs against each other."""
    for record, other in zip(records, others, strict=True):
        assert other == pytest.approx(record, rel=1e-9, abs=1e-9, nan_ok=True)
