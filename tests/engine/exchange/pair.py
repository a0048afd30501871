"""Trainings by several processes of this machine, over gloo, from the configurations that `resolve` makes."""

import multiprocessing
from pathlib import Path
from typing import Any

import torch

from dlexp.build.program import assemble
from dlexp.config.resolve import resolve
from dlexp.engine.event import EpochEnd
from dlexp.engine.exchange.exchange import ALONE, Exchange
from dlexp.engine.snapshot import snapshot

SMALL = {
    "data.limit": "150",
    "trainer.epochs": "2",
    "trainer.threads": "1",
    "trainer.precision": "fp64",
    "trainer.device": "cpu",
    "tracking": "none",
}


def train(overrides: list[str], exchange: Exchange = ALONE) -> dict[str, Any]:
    """Train once; return the metrics of each epoch, and weights and state at the end."""
    chosen = SMALL | dict(override.split("=", 1) for override in overrides)
    run = assemble(resolve([f"{key}={value}" for key, value in chosen.items()]).config, exchange=exchange).run
    epochs = [event.metrics for event in run.events() if isinstance(event, EpochEnd)]
    weights, state = snapshot(run)
    return {"epochs": epochs, "weights": weights, "state": state["step"]}


def train_together(cases: list[list[str]], folder: Path, size: int = 2) -> list[list[dict[str, Any]]]:
    """Train each case by a number of processes; return, for each process, what `train` does of each case."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    members = [context.Process(target=_member, args=(rank, size, cases, folder)) for rank in range(size)]
    for member in members:
        member.start()
    for member in members:
        member.join()
    assert [member.exitcode for member in members] == [0] * size
    return [torch.load(folder / f"{rank}.pt") for rank in range(size)]


def _member(rank: int, size: int, cases: list[list[str]], folder: Path) -> None:
    import torch.distributed as dist

    from dlexp.engine.exchange.collective import Collective

    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder / 'store'}", rank=rank, world_size=size)
    torch.save([train(case, Collective()) for case in cases], folder / f"{rank}.pt")
    dist.destroy_process_group()
