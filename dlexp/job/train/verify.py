"""Trains one trial, fold or run once more by itself, and compares: `dlexp train --verify-trial RUN`.

By itself means a program of one trial of the engine that trained it, with its threads; as a second opinion, where that
engine is a stack, also the plain module. Nothing of the original is changed.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dlexp.build.components import Components
from dlexp.build.place import KEY, on_device
from dlexp.build.program import make_program
from dlexp.engine import checkpoint
from dlexp.engine.event import EpochEnd, TrialEnd
from dlexp.error import RunError
from dlexp.execution.integrity import require_same_data
from dlexp.execution.result import evaluate_best
from dlexp.execution.save.saver import save_epoch, save_last
from dlexp.job.again import named_inside
from dlexp.job.train.difference import compare, has_predictions
from dlexp.job.train.document import Verification
from dlexp.run import scan
from dlexp.run.environment import PACKAGES, git_state, versions
from dlexp.run.folder import RunFolder
from dlexp.run.jsonable import plain
from dlexp.run.stored import require_same_files, stored_config

KINDS = ("train", "trial", "fold")
SINCE = "{name} changed from {then} to {now} since"


@dataclass(frozen=True)
class Point:
    """Where the original's last checkpoint stands: epochs done, updates done, and whether that is inside an epoch."""

    epoch: int
    number: int
    is_inside: bool


def verify(
    ref: str, runs_dir: Path, tell: Callable[[str], None] = lambda _line: None, device: str | None = None
) -> Verification:
    """Train a run again and compare weights, optimiser state, history and predictions.

    Args:
        ref: Run id, unique prefix, folder or last; trials and folds too.
        runs_dir: Folder of all runs.
        tell: Gets a line for the user before each training.
        device: Where to train; None takes the run's `trainer.device`.

    Returns:
        What ``--json`` prints: `is_bitwise`, `differences` (the largest of each kind, by engine), `reasons`.

    Raises:
        RunError: No such run, or it has nothing to compare.
        DataError: The data are not those of the run.
    """
    folder = scan.find(runs_dir, ref)
    manifest = folder.manifest
    if manifest["kind"] not in KINDS:
        raise RunError(f"{ref}: got {named_inside(folder)}")
    if manifest["status"] in ("running", "failed") or folder.saved_epoch() is None:
        raise RunError(f"{ref}: got a run that {_lack(manifest['status'])}; there is nothing to compare")
    config = on_device(stored_config(folder), device, KEY)
    if manifest.get("threads") is not None:
        config = {**config, "trainer": {**config["trainer"], "threads": manifest["threads"]}}
    components = Components.of(config)
    require_same_data(folder, components.data)
    require_same_files(folder)
    engine = manifest.get("engine", "solo")
    differences, place = {}, ""
    for kind in dict.fromkeys((engine, "solo")):
        if kind not in ("solo", "batched", "vmapped", "graphed"):
            continue  # several had a hand in it
        tell(f"training {folder.run_id} again, alone, by {'its module' if kind == 'solo' else f'engine {kind}'}")
        with TemporaryDirectory(prefix="dlexp-verify-") as scratch:
            again, place = _train_again(components, folder, kind, Path(scratch))
            differences[kind] = compare(folder, again)
    is_bitwise = max(differences.get(engine, {"": 1.0}).values()) == 0
    return plain(
        {
            "kind": "verify",
            "run_id": folder.run_id,
            "run_dir": str(folder.path),
            "engine": engine,
            "epochs": folder.saved_epoch(),
            "threads": manifest.get("threads"),
            "is_bitwise": is_bitwise,
            "differences": differences,
            "reasons": [] if is_bitwise else explain(manifest, engine, place),
        }
    )


def _lack(status: str) -> str:
    return "is being trained" if status == "running" else "failed" if status == "failed" else "has no checkpoint"


def _train_again(components: Components, original: RunFolder, engine: str, scratch: Path) -> tuple[RunFolder, str]:
    """Train as far as the original's last checkpoint, in a folder of its own; return that and the device."""
    config = components.config
    folder = RunFolder.create(
        scratch, "again", original.run_id, config=config, overrides=[], manifest={"kind": "train", "test_openings": 0}
    )
    state = checkpoint.load(original.checkpoints / "last")[1]
    until = Point(state["epoch"], state["number"], state["position"] > 0)
    built = make_program([components], engine)
    run = built.run
    run.trainer = replace(run.trainer, max_seconds=None)  # it stopped where it did, however fast this machine is
    run.should_stop = lambda: until.is_inside and run.number >= until.number
    for event in run.events() if until.number else ():
        if isinstance(event, EpochEnd):
            save_epoch(run, folder, event)
            if event.epoch == until.epoch and not until.is_inside:
                break
        elif isinstance(event, TrialEnd) and event.status == "interrupted":
            save_last(run, folder, event.trial)
    if checkpoint.exists(folder.checkpoints / "best") and has_predictions(original):
        evaluate_best(make_program([components]), folder, open_test=False)
    folder.unlock()
    return folder, str(built.device)


def explain(manifest: dict[str, Any], engine: str, device: str) -> list[str]:
    """Return what may have made the numbers differ: what changed since, and engines that promise no equal bits."""
    reasons = []
    now = versions(PACKAGES)
    for name, then in (manifest.get("packages") or {}).items():
        if name in ("torch", "numpy", "dlexp") and then != now.get(name):
            reasons.append(SINCE.format(name=name, then=then, now=now.get(name)))
    if manifest.get("device") not in (None, device):
        reasons.append(SINCE.format(name="the device", then=manifest["device"], now=device))
    then, here = manifest.get("git"), git_state()
    if then and here and (then["commit"] != here["commit"] or then.get("dirty") or here.get("dirty")):
        reasons.append("the code in this folder changed since, or is not all committed")
    if engine == "vmapped":
        reasons.append("convolutions and batch norm mapped over trials take kernels by how many trials there are")
    if " then " in engine:
        reasons.append(f"a kill or a lack of memory changed its engine midway: {engine}")
    if not device.startswith("cpu"):
        reasons.append(f"kernels on {device} may be chosen by size and time")
    return reasons
