"""What an epoch leaves in a run folder."""

from pathlib import Path

from dlexp.disk import durable
from dlexp.engine import checkpoint
from dlexp.engine.event import EpochEnd, TrialEnd
from dlexp.engine.snapshot import best_weights, snapshot
from dlexp.engine.train import Run
from dlexp.number import noun
from dlexp.run import epoch_record
from dlexp.run.folder import RunFolder

_BYTES_OF_OUTPUT = 4


def require_space(run: Run, place: Path) -> None:
    """Check, before a training begins or goes on, that the disk has room for what it cannot do without.

    That is, of each trial, a checkpoint and the next one (a run that goes on has the first) and its predictions of the
    validation part. Weights that were best at another epoch, buffers and figures come on top.

    Args:
        run: The program, where it begins or goes on.
        place: A folder on the disk, which may still have to be made.

    Raises:
        DiskFault: There is less.
    """
    num_checkpoints = min(2 - (run.number > 0), run.trainer.epochs - run.epoch)
    saved = {"weights": run.step.forward.flat.tensor, **run.step.row_state(0), **run.schedule_state}
    checkpoints = checkpoint.size(saved)
    predictions = sum(len(rows) for rows in run.task.val) * run.step.rules.loss.num_outputs * _BYTES_OF_OUTPUT
    what = f"{noun(num_checkpoints, 'checkpoint')} and the predictions take"
    durable.require_space(place, num_checkpoints * checkpoints + predictions, what)


def save_epoch(run: Run, folder: RunFolder, event: EpochEnd) -> None:
    """Append the epoch to the history, then write its checkpoints; a kill in between repeats the epoch."""
    row = run.trials.index(event.trial)
    append_epoch(folder, event)
    best = folder.checkpoints / "best"
    if event.is_best:
        checkpoint.save(best, best_weights(run, row), {"epoch": event.epoch}, is_synced=folder.is_synced)
    is_same = event.is_best and "ema" not in run.step.state
    save_last(run, folder, event.trial, same_weights=best if is_same else None)


def append_epoch(folder: RunFolder, event: EpochEnd) -> None:
    """Append the epoch to the history, after what is kept of its examples, and a line to the log."""
    if event.record is not None:
        epoch_record.append(folder.path, event.epoch, *event.record)
    record = {"epoch": event.epoch, "step": event.step, "lr": event.lr, **event.metrics, "seconds": event.seconds}
    folder.append_epoch(record)
    shown = " ".join(f"{key} {value:.4g}" for key, value in event.metrics.items())
    folder.log(f"epoch {event.epoch}: {shown} lr {event.lr:.4g} ({event.seconds:.2f} s)")


def save_last(run: Run, folder: RunFolder, trial: int, same_weights: Path | None = None) -> None:
    """Write the checkpoint from which a trial goes on.

    Args:
        run: The program, between two events.
        folder: The trial's.
        trial: What events call it.
        same_weights: A checkpoint with the same weights, saved a moment ago.
    """
    weights, state = snapshot(run, run.trials.index(trial))
    last = folder.checkpoints / "last"
    checkpoint.save(
        last,
        weights,
        state,
        same_weights=same_weights,
        history=folder.history_digest(state["epoch"]),
        keeps_previous=True,
        is_synced=folder.is_synced,
    )


def save_end(run: Run, folder: RunFolder, event: TrialEnd) -> None:
    """Save a trial that was interrupted where it stands; one that is over needs no checkpoint before its last."""
    if event.status == "interrupted":
        save_last(run, folder, event.trial)
    else:
        checkpoint.drop_previous(folder.checkpoints / "last")


class Saver:
    """Saves each trial's epochs in its own folder."""

    def __init__(self, run: Run, folders: list[RunFolder]) -> None:
        self.run, self.folders = run, folders

    def save(self, events: list[EpochEnd]) -> None:
        """Save an epoch of all trials that train."""
        for event in events:
            save_epoch(self.run, self.folders[event.trial], event)

    def leave(self, event: TrialEnd) -> None:
        """Leave a trial's folder as the trial ended."""
        save_end(self.run, self.folders[event.trial], event)

    def close(self) -> None:
        """Close what is still open when the program is over; separate folders need nothing."""
