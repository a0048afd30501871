"""One training over many devices: what every process does, and what those do that write nothing.

All processes build the same program and take their share of each batch. The first one writes the run folder, fills
MLflow and shows what happens. Collectives come in one order: the settings, the run that is gone on with, the program,
whether all are at the same, the training; at its end the first process is by itself.
"""

import hashlib
import json
import signal
from dataclasses import replace
from pathlib import Path

from dlexp.build.check import check_model, check_test
from dlexp.build.dataset import load_data
from dlexp.build.program import Program, assemble
from dlexp.config.relevance import relevant
from dlexp.engine import checkpoint
from dlexp.engine.event import TrialEnd
from dlexp.engine.exchange.exchange import ALONE, Exchange
from dlexp.engine.exchange.share import deal
from dlexp.engine.snapshot import restore
from dlexp.engine.train import Run
from dlexp.execution.description import as_divided
from dlexp.execution.integrity import require_same_data
from dlexp.job.interrupt import Interrupt
from dlexp.job.outcome import exit_code
from dlexp.launcher.devices.division import require_divisible
from dlexp.launcher.devices.world import World
from dlexp.number import noun
from dlexp.run import scan
from dlexp.run.folder import RunFolder
from dlexp.run.stored import stored_config
from dlexp.search.trial_id import code_version
from dlexp.type import Config

NEW, OVER = "", "-"  # in place of the folder that is gone on with: there is none, or nothing is left to do
AGENT = "torchrun"  # in the manifest: the torchrun whose processes began the run


def attend(config: Config | None, world: World, *, open_test: bool) -> int:
    """Take part in a training as a process that writes nothing; return its exit code. Collective.

    Args:
        config: Checked; None where a run is gone on with.
        world: The processes.
        open_test: Whether the first process will evaluate the test part.

    Raises:
        DlexpError: See its kinds.
    """
    world.together(lambda: None)  # the first one looks for the run, or for a place for it
    place = world.share(NEW)
    if place == OVER:
        return 0
    folder = None if place == NEW else RunFolder(Path(place))
    with Interrupt(can_wait=False) as interrupt:
        if folder is not None:
            config = world.together(lambda: stored_config(folder))
        assert config is not None
        built = assemble_all(config, world, open_test, folder)
        interrupt.can_wait = True
        if folder is not None:
            world.together(lambda: _catch_up(built, folder))
        return _follow(built.run, interrupt)


def assemble_all(config: Config, world: World, open_test: bool, folder: RunFolder | None = None) -> Program:
    """Build the program of each process, and make sure that all have the same. Collective.

    Args:
        config: Checked.
        world: The processes.
        open_test: Whether the test part is to be evaluated.
        folder: Of the run that is gone on with; None for a new one.

    Raises:
        DlexpError: One of them cannot, or has other settings, data or code than the first.
    """

    def act() -> Program:
        data = None if folder is None else as_divided(folder, load_data(config))
        built = assemble(world.place(config), data, world.exchange)
        if folder is not None:
            require_same_data(folder, built.dataset)
        check_test(built.dataset, open_test)
        check_model(built)
        return _described(built, world.exchange)

    built = world.together(act)
    if world.size > 1:
        settings = hashlib.sha256(json.dumps(relevant(config), sort_keys=True, default=str).encode()).hexdigest()
        code = code_version(config["trusted"])
        world.require_same(
            {"configuration": settings, "set of data": built.dataset.fingerprint, "version of dlexp or torch": code}
        )
    return built


def run_of_before(world: World, runs_dir: Path) -> str:
    """Return the id of the run that the processes began which torchrun has started anew; "" without any."""
    if not world.restarts:
        return ""
    runs = [folder for folder in map(RunFolder, scan.run_paths(runs_dir)) if folder.manifest.get(AGENT) == world.agent]
    return max((folder.run_id for folder in runs), default="")


def leave(run: Run) -> None:
    """Let the first process go on by itself: the training is over."""
    run.task = replace(run.task, exchange=ALONE)


def flags(run: Run) -> list[str]:
    """Return what a command that goes on with a run takes for as many devices; nothing for a single one."""
    size = run.step.exchange.size
    return [f"launcher.devices={size}"] if size > 1 else []


def _catch_up(built: Program, folder: RunFolder) -> None:
    """Put a process where the first one goes on from; what was counted of the epoch in hand is with that one."""
    last = folder.checkpoints / "last"
    if checkpoint.exists(last):
        restore(built.run, *checkpoint.load(last, built.device))
        if built.run.sums is not None:
            built.run.sums.clear()


def _follow(run: Run, interrupt: Interrupt) -> int:
    run.should_stop = interrupt
    for event in run.events():
        if isinstance(event, TrialEnd):
            return exit_code(event.status, 128 + (interrupt.signum or signal.SIGINT))
    raise AssertionError("an engine's last event is TrialEnd")


def _described(built: Program, exchange: Exchange) -> Program:
    """Return a program with what its user should know of the devices; refuse what cannot be divided over them."""
    trainer, size = built.run.trainer, exchange.size
    if size == 1:
        alone = ["trainer.shard=true: one device keeps the whole state of the optimiser; launcher.devices=2 divides it"]
        return replace(built, warnings=[*built.warnings, *alone]) if trainer.shard else built
    require_divisible(trainer.batch_size, size, exchange.least, is_profiled=trainer.profile)
    sizes = [end - first for first, end in deal(trainer.batch_size, size, exchange.least)]
    warnings, example = list(built.warnings), "example" if exchange.each == 1 else "pair"
    if min(sizes) < max(sizes):
        warnings.append(
            f"trainer.batch_size={trainer.batch_size} does not divide by {size} devices, which compute {min(sizes)} or "
            f"{noun(max(sizes), example)} of a batch; each {example} counts the same"
        )
    if exchange.has_apart:
        whole = f"not by all {trainer.batch_size} as on one device; norm.sync=true does"
        warnings.append(f"batch norm normalises by the {noun(max(sizes), example)} of its device, {whole}")
    return replace(built, device_line=f"{size} devices, each {built.device_line}", warnings=warnings)
