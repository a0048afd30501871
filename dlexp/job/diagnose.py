"""`dlexp diagnose`: why a configuration, or a run, does not learn; everything happens in memory."""

from functools import partial
from pathlib import Path

import numpy as np

from dlexp.build.check import check_model
from dlexp.build.dataset import load_data
from dlexp.build.place import on_device
from dlexp.build.program import Program, assemble
from dlexp.config.compose import Composed
from dlexp.diagnose.document import Diagnosis, LayerRecord, LayerState
from dlexp.diagnose.evidence import Evidence, observe, try_cure
from dlexp.diagnose.finding import consequence, findings_of
from dlexp.diagnose.layer import Layer
from dlexp.diagnose.trained import composed_of, confidence_of, observe_run, training_of
from dlexp.engine.fitted.run import FittedRun
from dlexp.error import ConfigError, RunError
from dlexp.execution.description import as_divided
from dlexp.execution.integrity import require_same_data
from dlexp.job.again import named_inside
from dlexp.number import noun
from dlexp.run import scan
from dlexp.run.folder import RunFolder
from dlexp.run.stored import stored_config

KINDS = ("train", "trial", "fold")


def diagnose(composed: Composed, figure: Path | None = None) -> Diagnosis:
    """Return what at most 100 updates in memory show of a configuration; nothing is written but the figure.

    Args:
        composed: Checked configuration.
        figure: Where histograms by layer are drawn, before the updates and after them; None draws none.

    Raises:
        ConfigError: The model cannot take the data.
        DataError: Absent or unusable data.
    """
    built = assemble(composed.config)
    _require_gradients(built)
    check_model(built)
    evidence = observe(built, composed.choices)
    return _document(evidence, composed, figure, built=built)


def diagnose_run(ref: str, runs_dir: Path, figure: Path | None = None, device: str | None = None) -> Diagnosis:
    """Return what a run left shows: its first updates, made again in memory, its last checkpoint and its epochs.

    Args:
        ref: Run id, unique prefix, folder or last; trials and folds too.
        runs_dir: Folder of all runs.
        figure: As above, with the last checkpoint's.
        device: Where the updates are made again; None takes the run's `trainer.device`.

    Raises:
        RunError: No such run, or none of a single training.
        DataError: The data are not those of the run.
    """
    folder = scan.find(runs_dir, ref)
    if folder.manifest["kind"] not in KINDS:
        raise RunError(f"{ref}: got {named_inside(folder)}")
    config = on_device(stored_config(folder), device)
    composed = composed_of(folder)
    built = assemble(config, as_divided(folder, load_data(config)))
    _require_gradients(built)
    require_same_data(folder, built.dataset)
    evidence = observe_run(built, composed.choices, folder)
    evidence.confidence, evidence.training = confidence_of(folder), training_of(built, evidence)
    return _document(evidence, composed, figure, folder, built=built)


def _require_gradients(built: Program) -> None:
    """Refuse a model that is fitted in one step: there are no updates to look at."""
    if isinstance(built.run, FittedRun):
        name = type(built.model).__name__
        raise ConfigError(f"model: got {name}, which is fitted in one step; only what learns by gradients is diagnosed")


def _document(
    evidence: Evidence, composed: Composed, figure: Path | None, folder: RunFolder | None = None, *, built: Program
) -> Diagnosis:
    document: Diagnosis = {
        "kind": "diagnosis",
        "run_id": None if folder is None else folder.run_id,
        "status": None if folder is None else folder.manifest["status"],
        "updates": len(evidence.losses),
        "constant": evidence.constant,
        "first_loss": evidence.start,
        "last_loss": evidence.end,
        "consequence": consequence(evidence),
        "layers": _layers(evidence),
        "findings": findings_of(evidence, composed, partial(try_cure, built.dataset)),
        "figure": None,
    }
    if figure is not None:
        from dlexp.figure.inside.activation import activation_figure
        from dlexp.figure.style.canvas import save

        moments = {"before training": _histograms(evidence.first)}
        if evidence.last is not evidence.first:
            later = noun(len(evidence.losses), "update") if folder is None else "training"
            moments[f"after {later}"] = _histograms(evidence.last)
        document["figure"] = str(save(activation_figure(moments), figure))
    return document


def _histograms(layers: list[Layer]) -> list[tuple[str, np.ndarray, np.ndarray]]:
    shown = [layer for layer in layers if layer.activation] or layers
    return [(layer.name, layer.values.numpy(), layer.grads.numpy()) for layer in shown]


def _layers(evidence: Evidence) -> list[LayerRecord]:
    return [
        {
            "name": first.name,
            "num_units": first.num_units,
            "activation": first.activation,
            "first": _state(first),
            "last": _state(last),
            "update_ratio": evidence.ratios.get(f"{first.name}.weight"),
        }
        for first, last in zip(evidence.first, evidence.last, strict=True)
    ]


def _state(layer: Layer) -> LayerState:
    return {
        "pre_std": layer.pre_std,
        "mean": layer.mean,
        "std": layer.std,
        "dead": layer.dead,
        "saturated": layer.saturated,
        "weight_rms": layer.weight_rms,
        "grad_rms": layer.grad_rms,
    }
