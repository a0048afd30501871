"""`--dry-run`: everything that can be known of a training run before it trains."""

from pathlib import Path

from dlexp.build.check import check_destination, check_model
from dlexp.build.probe import trace
from dlexp.build.program import Program, assemble
from dlexp.config.compose import Composed
from dlexp.engine.step import PRECISION
from dlexp.execution.description import describe_parts
from dlexp.execution.estimate import Measured, estimate, unheard
from dlexp.job.train.document import TrainPlan


def plan(composed: Composed, *, tell: Measured = unheard) -> TrainPlan:
    """Check a configuration against its data and model, and estimate what it takes.

    Args:
        composed: The configuration.
        tell: Called before the measuring.

    Returns:
        Sizes, shapes, parameters, estimated bytes of memory and disk, estimated seconds with evaluation and saving.

    Raises:
        ConfigError: The model cannot take the data.
        DataError: Absent or unusable data.
    """
    check_destination(Path(composed.config["runs_dir"]))
    built = assemble(composed.config)
    check_model(built)
    data, run = built.dataset, built.run
    outputs, saved = trace(built.model, data.in_shape, data.inputs_each * run.trainer.batch_size)
    tell(0, 1)
    estimated = estimate(built.components)
    return {
        "kind": "train",
        "dry_run": True,
        "task": data.task,
        "device": built.device_line,
        "data": describe_parts(data, data.train, data.val),
        "input_shape": list(data.in_shape),
        "output_shape": outputs,
        "num_params": sum(p.numel() for p in built.model.parameters()),
        "trials": 1,
        "groups": [{"size": 1, "engine": "solo"}],
        "steps": run.steps_per_epoch * run.trainer.epochs,
        "memory": _memory(built, saved),
        "disk": estimated.disk + estimated.disk_epoch * run.trainer.epochs,
        "seconds": round(run.trainer.epochs * estimated.epoch_seconds + estimated.end, 1),
    }


def _memory(built: Program, saved: int) -> int:
    """Weights, gradients and optimiser state; activations kept for the backward pass; the data on the device."""
    run = built.run
    half = 0.5 if PRECISION[run.trainer.precision] is not None else 1.0
    state = sum(value.numel() * value.element_size() for value in run.step.state.values())
    params = run.step.forward.flat.tensor
    inputs = built.dataset.inputs
    return int(
        2 * params.numel() * params.element_size() + state + half * saved + inputs.numel() * inputs.element_size()
    )
