"""A run's model as predicting needs it: ``model.json`` beside the weights of ``checkpoints/best``.

The file says how raw examples become inputs and outputs become answers, all fitted on the training part: task,
in_shape, num_outputs, class_names, feature_names, encoding (how files were read: columns and levels of a table, size
of pictures), normalize (scale, shift and fill for each channel or feature), unit (mean and std of regression targets),
measure (constants of the metrics), pairs (what two outputs are compared by, and the threshold, None until the end),
layers (names of the weights from the input on, which a file of weights does not keep), and heads where there are
several targets (name, task, classes of each).
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from dlexp import device as devices
from dlexp.build.model import build_module
from dlexp.data.dataset import Dataset
from dlexp.data.joint.head import Head
from dlexp.data.joint.scale import JointScale
from dlexp.data.target_scale import TargetScale
from dlexp.disk.regular import read_bytes
from dlexp.embedding.similarity import compared
from dlexp.engine import checkpoint
from dlexp.engine.answer.answer import Reading
from dlexp.engine.answer.inputs import as_targets, errors
from dlexp.engine.memory import evaluation_batch
from dlexp.engine.task import Task
from dlexp.error import ConfigError, RunError
from dlexp.figure.inside.weight import is_kernel
from dlexp.normalize import Affine
from dlexp.run.folder import RunFolder
from dlexp.run.jsonable import sealed, unsealed
from dlexp.run.measure import FILE
from dlexp.run.stored import stored_config
from dlexp.type import RECONSTRUCT, Config

TYPICAL_BATCH = 32  # examples of an update, by whose memory that of predicting is measured


@dataclass(frozen=True)
class SavedModel:
    """A trained model, ready for raw examples.

    Attributes:
        about: The content of the file.
        module: With the best weights, in evaluation mode.
        affine: The normalisation of inputs.
        unit: The unit of values; None for classes.
    """

    about: dict[str, Any]
    module: nn.Module
    affine: Affine
    unit: TargetScale | JointScale | None

    @cached_property
    def batch_size(self) -> int:
        """Examples at once that fit beside the model in little memory."""
        return evaluation_batch(self.module, tuple(self.about["in_shape"]), TYPICAL_BATCH)

    @property
    def device(self) -> torch.device:
        """Where the module computes."""
        return next(self.module.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """What the module computes in."""
        return next(self.module.parameters()).dtype

    @torch.no_grad()
    def outputs(self, inputs: Tensor, batch_size: int | None = None) -> Tensor:
        """Return logits (N, K), values (N,) in the target's unit, or errors (N,) of reconstructions, on the CPU.

        Of pairs threshold and similarity (N, 2); of several targets all outputs (N, K), values in their own units.

        Args:
            inputs: (N, H, W, C) bytes or floats in [0, 1], or (N, D) in float64 with NaN for a missing number; of pairs
                2 N, the two of a pair in turn.
            batch_size: Examples at once; None takes `SavedModel.batch_size`.

        Raises:
            ConfigError: Examples of another shape than the model's.
            RunError: A model of pairs whose training is not over.
        """
        if self.about["task"] == RECONSTRUCT:
            x_ND, z_ND = self.reconstruct(inputs, batch_size)
            return errors(z_ND.unsqueeze(0), x_ND, x_ND[:1], is_image=False)[0, :, 0]
        pairs = self.about.get("pairs")
        require_threshold(self.about)
        outputs = torch.cat([outputs for _, outputs in self._passes(inputs, batch_size)])
        if pairs is not None:
            return with_threshold(compared(outputs[None], pairs["similarity"])[0, :, 0], pairs["threshold"])
        if self.unit is None:
            return outputs
        values = self.unit.unscale(outputs[None])[0]
        return values[:, 0] if isinstance(self.unit, TargetScale) else values

    @torch.no_grad()
    def reconstruct(self, inputs: Tensor, batch_size: int | None = None) -> tuple[Tensor, Tensor]:
        """Return what an autoencoder is given and what it makes of it, (N, D) each, normalised, on the CPU.

        Args:
            inputs: As of `outputs`.
            batch_size: Examples at once; None takes `SavedModel.batch_size`.

        Raises:
            ConfigError: Examples of another shape than the model's.
        """
        is_image = inputs.dim() == 4
        pairs = [(as_targets(x, is_image=is_image).cpu(), z) for x, z in self._passes(inputs, batch_size)]
        given, made = zip(*pairs, strict=True)
        return torch.cat(given), torch.cat(made)

    def _passes(self, inputs: Tensor, batch_size: int | None) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield prepared inputs and, on the CPU, the module's outputs, a batch at a time."""
        require_shape(inputs, self.about["in_shape"])
        is_image, dtype = inputs.dim() == 4, self.dtype
        each = 2 if self.about["task"] == "pairs" else 1
        for batch in inputs.split(each * max(1, (batch_size or self.batch_size) // each)):
            x = self.affine.apply(devices.send(batch, self.device), dtype=dtype)
            x = (x.movedim(-1, 1) if is_image else x).to(dtype)
            yield x, self.module(x).cpu()


def require_threshold(about: dict[str, Any]) -> None:
    """Check that the training of a model of pairs is over.

    Raises:
        RunError: It is not, and there is no threshold.
    """
    if "pairs" in about and about["pairs"]["threshold"] is None:
        raise RunError("the run has no threshold yet, which is chosen when it ends: go on with it by --resume")


def with_threshold(similarity_N: Tensor, threshold: float) -> Tensor:
    """Return threshold and similarity of each pair (N, 2)."""
    return torch.stack([torch.full_like(similarity_N, threshold), similarity_N], 1)


def require_shape(inputs: Tensor, wanted: list[int]) -> None:
    """Check that raw examples, channels last, have the shape that a model takes.

    Raises:
        ConfigError: They have another.
    """
    got = list(inputs.movedim(-1, 1).shape[1:])
    if got != wanted:
        raise ConfigError(f"inputs: got examples of shape {got}; the model takes {wanted}")


def write(
    folder: RunFolder, dataset: Dataset, affine: Affine, task: Task, loss: Any, model: nn.Module, row: int = 0
) -> None:
    """Write the file of one trial of a program."""
    fitted = affine if affine.scale.dim() == 1 else affine.keep([row])
    unit = None if task.unit is None else task.unit.keep([row])
    about = {
        "task": dataset.task,
        "in_shape": list(dataset.in_shape),
        "num_outputs": loss.num_outputs,
        "class_names": dataset.class_names,
        "feature_names": dataset.feature_names,
        "encoding": dataset.encoding,
        "normalize": {name: _plain(getattr(fitted, name)) for name in ("scale", "shift", "fill")},
        "unit": None if unit is None else unit.state,
        "measure": asdict(Reading.of(task, loss).measure(row)),
        "layers": [name for name, array in model.state_dict().items() if is_kernel(name, array.dim())],
    }
    if dataset.heads:
        about["heads"] = [asdict(head) for head in dataset.heads]
    if task.similarity is not None:
        about["pairs"] = {"similarity": task.similarity, "threshold": None}
    folder.write(FILE, sealed(about))


def read(folder: RunFolder) -> dict[str, Any]:
    """Return the content of a run's file.

    Raises:
        RunError: The run has no such file.
    """
    path = folder.path / FILE
    try:
        about = unsealed(read_bytes(path))
        return about | {name: about[name] for name in ("task", "in_shape", "num_outputs", "class_names", "normalize")}
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise RunError(f"{path}: cannot be read; restore it from a copy or train the run anew") from error


def read_unit(about: dict[str, Any]) -> TargetScale | JointScale | None:
    """Return the unit of values that a file states; None for classes."""
    unit = about["unit"]
    if unit is None:
        return None
    return JointScale.of_state(unit) if "columns" in unit else TargetScale.of_state(unit)


def load(folder: RunFolder, device: torch.device | str = "cpu") -> SavedModel:
    """Build a run's model with its best weights.

    Args:
        folder: The run's.
        device: Where it computes; trained anywhere.

    Raises:
        RunError: The run has no such file or no checkpoint.
    """
    about, config = read(folder), stored_config(folder)
    return assemble(about, config, checkpoint.load(folder.checkpoints / "best")[0], device)


def assemble(
    about: dict[str, Any], config: Config, weights: dict[str, Tensor], device: torch.device | str = "cpu"
) -> SavedModel:
    """Build a model that is stated in full.

    Args:
        about: The content of the file.
        config: Checked; names model, blocks and precision.
        weights: By name.
        device: Where it computes.

    Raises:
        ConfigError: The configuration's model does not fit the shapes.
        RuntimeError: The weights are not those of the model.
    """
    module = build_module(config, tuple(about["in_shape"]), outputs_stated(about), seed=0)
    module.to(torch.float64 if config["trainer"]["precision"] == "fp64" else torch.float32)
    module.load_state_dict(weights)
    return SavedModel(about, module.eval().to(device), affine_of(about).to(device), read_unit(about))


def heads_stated(about: dict[str, Any]) -> list[Head]:
    """Return what each of several targets is; empty for one."""
    return [Head(**head) for head in about.get("heads", [])]


def outputs_stated(about: dict[str, Any]) -> int | list[int]:
    """Return how many outputs the model has, of several targets those of each."""
    return [head.num_outputs for head in heads_stated(about)] or about["num_outputs"]


def affine_of(about: dict[str, Any]) -> Affine:
    """Return the normalisation of inputs that a file states."""
    fitted = about["normalize"]
    fill = None if fitted["fill"] is None else _wide(fitted["fill"])
    return Affine(_wide(fitted["scale"]), _wide(fitted["shift"]), fill)


def _wide(values: list) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def _plain(values: Tensor | None) -> list[float] | None:
    return None if values is None else values.flatten().tolist()
