"""What an epoch leaves in a trial's run folder."""

from dlexp.engine import checkpoint
from dlexp.engine.event import EpochEnd
from dlexp.engine.snapshot import best_weights, snapshot
from dlexp.engine.train import Run
from dlexp.tracker.folder import RunFolder


def save_epoch(run: Run, folder: RunFolder, event: EpochEnd) -> None:
    """Append the epoch to the history, then write its checkpoints; a kill in between repeats the epoch."""
    row = run.trials.index(event.trial)
    record = {"epoch": event.epoch, "step": event.step, "lr": event.lr, **event.metrics, "seconds": event.seconds}
    folder.append_epoch(record)
    if event.is_best:
        checkpoint.save(folder.checkpoints / "best", best_weights(run, row), {"epoch": event.epoch})
    checkpoint.save(folder.checkpoints / "last", *snapshot(run, row))
    shown = " ".join(f"{key} {value:.4g}" for key, value in event.metrics.items())
    folder.log(f"epoch {event.epoch}: {shown} lr {event.lr:.4g} ({event.seconds:.2f} s)")
