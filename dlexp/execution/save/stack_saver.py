"""The checkpoints of a stack's trials, written as one while the stack trains.

A checkpoint costs milliseconds however small it is, and a stack's epoch of 64 small trials little more than 64 of
them. So an epoch is saved once, for all trials, in ``programs/<id>`` of the sweep or cv; a trial gets its own
checkpoints when it ends, is interrupted, or the program fails. After a kill `recover` writes them: ``together.json`` in
a trial's folder says where its share is.

Shapes: T trials of the program's beginning, R that still train.
"""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dlexp.disk.regular import read_bytes
from dlexp.engine import checkpoint
from dlexp.engine.event import EpochEnd, TrialEnd
from dlexp.engine.stack.rows import Rows
from dlexp.engine.train import Run
from dlexp.error import RunError
from dlexp.execution.integrity import STACK_POINTER, is_intact
from dlexp.execution.save.saver import Saver, append_epoch
from dlexp.run.folder import PROGRAMS, RunFolder
from dlexp.run.jsonable import document
from dlexp.run.name import new_run_id

LARGEST = (
    8 * 2**20
)  # bytes of parameters: beyond, writing takes the time and not the number of files; copies cost memory


class StackSaver(Saver):
    """Saves the epochs of all trials as one checkpoint."""

    def __init__(self, run: Run, folders: list[RunFolder]) -> None:
        """Say in each trial's folder where its share will be."""
        super().__init__(run, folders)
        self.place = folders[0].path.parent.parent / PROGRAMS / new_run_id()
        self._best: dict[str, Tensor] = {}
        self._best_epochs = [0] * len(folders)
        self._waiting = set(range(len(folders)))
        self._saved: StackCheckpoint | None = None
        for folder in folders:
            folder.write(STACK_POINTER, document({"checkpoint": os.path.relpath(self.place, folder.path)}))

    def save(self, events: list[EpochEnd]) -> None:
        """See `Saver`; the histories come first, so that a kill in between repeats the epoch."""
        for event in events:
            append_epoch(self.folders[event.trial], event)
        run = self.run
        rows, weights = run.rows, _stacked_weights(run)
        self._keep_best(events, weights)
        state = {
            "epoch": run.epoch,
            "number": run.number,
            "elapsed": run.elapsed,
            "step": _copies(run.step.state, rows),
            "schedule": _copies(run.schedule_state, rows),
            "stopping": [run.stopping[row].state() for row in rows],
            "trials": [run.trials[row] for row in rows],
            "names": [os.path.relpath(folder.path, self.place) for folder in self.folders],
            "best_epochs": list(self._best_epochs),
            "histories": [self.folders[run.trials[row]].history_digest(run.epoch) for row in rows],
        }
        self._saved = StackCheckpoint({**_prefixed("last", weights), **_prefixed("best", self._best)}, state)
        checkpoint.save(self.place, self._saved.weights, state, is_synced=self.folders[0].is_synced)

    def _keep_best(self, events: list[EpochEnd], weights: dict[str, Tensor]) -> None:
        with self.run.step.averaged():
            best = _stacked_weights(self.run) if "ema" in self.run.step.state else weights
        if not self._best:
            shapes = {name: (len(self.folders), *value.shape[1:]) for name, value in best.items()}
            self._best = {name: value.new_zeros(shapes[name]) for name, value in best.items()}
        rows = [row for row, event in enumerate(events) if event.is_best]
        trials = [events[row].trial for row in rows]
        for name, value in best.items() if rows else ():
            self._best[name][trials] = value[rows]
        for trial in trials:
            self._best_epochs[trial] = self.run.epoch

    def leave(self, event: TrialEnd) -> None:
        """See `Saver`."""
        self._write(event.trial)
        super().leave(event)

    def close(self) -> None:
        """Write the checkpoints of the trials that did not end: the program failed, or nobody listens any more."""
        for trial in list(self._waiting):
            self._write(trial)
        checkpoint.remove(self.place)

    def _write(self, trial: int) -> None:
        self._waiting.discard(trial)
        if self._saved is not None:
            self._saved.write(self.folders[trial], trial)
        (self.folders[trial].path / STACK_POINTER).unlink(missing_ok=True)


def make_saver(run: Run, folders: list[RunFolder]) -> Saver:
    """Return what saves the epochs of a program."""
    params = run.step.forward.flat.tensor
    is_small = params.numel() * params.element_size() <= LARGEST
    return (StackSaver if len(folders) > 1 and is_small else Saver)(run, folders)


class StackCheckpoint:
    """A checkpoint of a program, to be taken apart.

    Args:
        weights: ``last.<name>`` (R, ...) and ``best.<name>`` (T, ...).
        state: What `Together.save` wrote.
    """

    def __init__(self, weights: dict[str, Tensor], state: dict[str, Any]) -> None:
        self.weights, self.state = weights, state

    def write(self, folder: RunFolder, trial: int) -> None:
        """Write the checkpoints of one trial, unless its own are as new."""
        state, is_synced = self.state, folder.is_synced
        last, best = folder.checkpoints / "last", folder.checkpoints / "best"
        if trial not in state["trials"] or (checkpoint.epoch(last) or 0) >= state["epoch"]:
            return
        row, best_epoch = state["trials"].index(trial), state["best_epochs"][trial]
        if best_epoch:
            checkpoint.save(best, self._row("best", trial), {"epoch": best_epoch}, is_synced=is_synced)
        trial_state = {
            **{name: state[name] for name in ("epoch", "number", "elapsed")},
            "position": 0,
            "sums": None,
            "step": {name: value[row : row + 1].clone() for name, value in state["step"].items()},
            "schedule": {name: value[row : row + 1].clone() for name, value in state["schedule"].items()},
            "stopping": state["stopping"][row],
        }
        same = best if best_epoch == state["epoch"] and "ema" not in state["step"] else None
        seal = state["histories"][row] if "histories" in state else None  # of versions before 0.2
        checkpoint.save(last, self._row("last", row), trial_state, same_weights=same, history=seal, is_synced=is_synced)

    def _row(self, kind: str, row: int) -> dict[str, Tensor]:
        return {
            name.removeprefix(f"{kind}."): value[row].clone()
            for name, value in self.weights.items()
            if name.startswith(f"{kind}.")
        }


def recover(folder: RunFolder) -> None:
    """Give a trial whose program was killed its own checkpoints; the last one of a program tidies up."""
    pointer = folder.path / STACK_POINTER
    if not pointer.exists():
        return
    with suppress(RunError, ValueError, KeyError, TypeError):  # killed before the first epoch, or damaged
        place = Path(os.path.normpath(folder.path / json.loads(read_bytes(pointer))["checkpoint"]))
        share = StackCheckpoint(*checkpoint.load(place))
        names = share.state["names"]
        share.write(folder, names.index(os.path.relpath(folder.path, place)))
        pointer.unlink()
        if not any((place / name / STACK_POINTER).exists() for name in names):
            checkpoint.remove(place)
    pointer.unlink(missing_ok=True)
    if not is_intact(folder):
        checkpoint.remove(folder.checkpoints / "last")  # it begins anew


@torch.no_grad()
def _stacked_weights(run: Run) -> dict[str, Tensor]:
    """Return the weights of all trials by name, each (R, ...), on the host: one transfer a name."""
    forward = run.step.forward
    if isinstance(forward, Rows):
        return {name: value.cpu() for name, value in forward.weights_of(run.rows).items()}
    rows = [forward.weights(row) for row in run.rows]
    return {name: torch.stack([row[name] for row in rows]).cpu() for name in rows[0]}


def _copies(tensors: dict[str, Tensor], rows: list[int]) -> dict[str, Tensor]:
    """Return copies of some rows on the host: training goes on while they are kept."""
    return {name: value.detach().to("cpu", copy=True)[rows] for name, value in tensors.items()}


def _prefixed(kind: str, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"{kind}.{name}": value for name, value in weights.items()}
