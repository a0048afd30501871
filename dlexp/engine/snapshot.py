"""What a checkpoint holds of one trial of a run, and how a run takes it up again: to the bit on CPU, equal threads.

A snapshot does not tell whether the trial ran alone or in a stack.
"""

from typing import Any

from torch import Tensor

from dlexp.engine.train import Run


def snapshot(run: Run, row: int = 0) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return one trial's weights by name, and the rest of its state as tensors and plain types.

    Random streams need no state: they are named by seed, purpose and step.
    """
    state = {
        "epoch": run.epoch,
        "position": run.position,
        "number": run.number,
        "elapsed": run.elapsed,
        "sums": None if run.sums is None else run.sums.state(row),
        "step": {name: value.clone() for name, value in run.step.row_state(row).items()},
        "schedule": {name: value[row : row + 1].clone() for name, value in run.schedule_state.items()},
        "stopping": run.stopping[row].state(),
        "thawed": run.is_thawed,
    }
    return run.step.forward.weights(row), state


def best_weights(run: Run, row: int = 0) -> dict[str, Tensor]:
    """Return the weights that are evaluated: the averaged ones where there are any."""
    with run.step.averaged():
        return run.step.forward.weights(row)


def restore(run: Run, weights: dict[str, Tensor], state: dict[str, Any], row: int = 0) -> None:
    """Put one trial where `snapshot` was taken; all trials of a run must come from the same instant."""
    run.set_thawed(state.get("thawed", False))  # absent from what versions before 0.2 wrote
    run.step.forward.load_weights(row, weights)
    for name in ("epoch", "position", "number", "elapsed"):
        setattr(run, name, state[name])
    if state["sums"] is not None:
        run.sums_in_hand().load(row, state["sums"])
    run.step.load_row(row, state["step"])
    assert run.schedule_state.keys() == state["schedule"].keys()
    for name, value in state["schedule"].items():
        run.schedule_state[name][row : row + 1].copy_(value)
    run.stopping[row].load(state["stopping"])
