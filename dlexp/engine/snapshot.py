"""What a checkpoint holds of a run, and how a run takes it up again: exactly, to the bit on CPU with equal threads."""

from typing import Any

from torch import Tensor

from dlexp.engine.sums import Sums
from dlexp.engine.train import Run


def snapshot(run: Run) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return weights by name, and the rest of the state as tensors and plain types.

    Random streams need no state: they are named by seed, purpose and step.
    """
    state = {
        "epoch": run.epoch,
        "position": run.position,
        "number": run.number,
        "elapsed": run.elapsed,
        "sums": None if run.sums is None else run.sums.state(),
        "step": dict(run.step.state),
        "schedule": dict(run.schedule_state),
        "stopping": run.stopping.state(),
    }
    return run.forward.weights(0), state


def best_weights(run: Run) -> dict[str, Tensor]:
    """Return the weights that are evaluated: the averaged ones where there are any."""
    with run.step.averaged():
        return run.forward.weights(0)


def restore(run: Run, weights: dict[str, Tensor], state: dict[str, Any]) -> None:
    """Put a run where `snapshot` was taken."""
    run.forward.load_weights(0, weights)
    for name in ("epoch", "position", "number", "elapsed"):
        setattr(run, name, state[name])
    run.sums = None if state["sums"] is None else Sums(**state["sums"])
    for kept, saved in ((run.step.state, state["step"]), (run.schedule_state, state["schedule"])):
        assert kept.keys() == saved.keys()
        for name, value in saved.items():
            kept[name].copy_(value)
    run.stopping.load(state["stopping"])
