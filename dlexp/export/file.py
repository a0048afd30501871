"""An exported file of any form: read, with its size bounded, and asked as a run's own model is.

Shapes: N examples.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dlexp.device import require_bytes
from dlexp.disk.regular import open_regular
from dlexp.error import ConfigError, RunError, first_line
from dlexp.execution.save.saved_model import SavedModel, affine_of, require_shape, with_threshold
from dlexp.export import onnx, pt2, weights
from dlexp.export.graph import as_input, num_together
from dlexp.normalize import Affine
from dlexp.run.listing.exported import FORMS, is_exported

Answer = Callable[..., tuple[Tensor, ...]]


@dataclass(frozen=True)
class ExportedModel:
    """A graph of a file, ready for raw examples, as `SavedModel` is.

    Attributes:
        about: What predicting needs.
        answer: The graph: its first output is the network's outputs, or values, or of two inputs their similarity.
        affine: The normalisation inside of it, to name inputs at fault.
        dtype: What it computes in.
    """

    about: dict[str, Any]
    answer: Answer
    affine: Affine
    dtype: torch.dtype

    @torch.no_grad()
    def outputs(self, inputs: Tensor, batch_size: int | None = None) -> Tensor:
        """Return logits (N, K), values (N,), both of several targets, or threshold and similarity; see `SavedModel`.

        Raises:
            ConfigError: Examples of another shape than the model's.
            RunError: The graph does not compute.
        """
        require_shape(inputs, self.about["in_shape"])
        size, pairs = batch_size or num_together(self.about["in_shape"]), self.about.get("pairs")
        sides = (inputs,) if pairs is None else inputs.unflatten(0, (-1, 2)).unbind(1)
        batches = zip(*(side.split(size) for side in sides), strict=True)
        try:
            outputs = torch.cat([self.answer(*map(as_input, batch))[0] for batch in batches])
        except Exception as error:  # of a foreign graph, and of whichever library computes it
            raise RunError(f"the exported graph does not compute ({first_line(error)}); export the run anew") from error
        is_wide = (self.about["class_names"] or "heads" in self.about) and pairs is None
        wanted = (len(sides[0]), self.about["num_outputs"]) if is_wide else (len(sides[0]),)
        if tuple(outputs.shape) != wanted:
            raise RunError(f"the exported graph gives outputs {list(outputs.shape)}, not {list(wanted)}")
        return outputs if pairs is None else with_threshold(outputs, pairs["threshold"])


Model = SavedModel | ExportedModel


def read(path: Path, device: torch.device | str = "cpu") -> tuple[str, Model]:
    """Return the id of the run that a file was exported from, and its model.

    Raises:
        RunError: It cannot be read, or may not be.
        ConfigError: A graph is to compute elsewhere than on the CPU.
    """
    try:
        with open_regular(path) as file:
            size = path.stat().st_size
            require_bytes(
                2 * size, torch.device("cpu"), f"{path}: got a file whose content would", "have a smaller one"
            )
            content = file.read(size)
    except OSError as error:
        raise RunError(f"{path}: cannot be read ({error.strerror})") from error
    return parse(content, path, device)


def parse(content: bytes, path: Path, device: torch.device | str = "cpu") -> tuple[str, Model]:
    """Return the same of a file's content.

    Args:
        content: Of the file.
        path: Its ending says the form; for messages.
        device: Where it computes.
    """
    form = path.suffix.lower().removeprefix(".")
    assert form in FORMS
    if form == "safetensors":
        about, model = weights.read(content, path, device)
        return about["run"], model
    if torch.device(device).type != "cpu":
        raise ConfigError(
            f"--device: got {device}; the graph of a .{form} computes on the CPU, a .safetensors anywhere"
        )
    if form == "onnx":
        about, answer = onnx.read(content, path)
    else:
        about, answer = pt2.read(content, hashlib.sha256(content).hexdigest(), path)
    dtype = torch.float64 if about["precision"] == "fp64" else torch.float32
    return about["run"], ExportedModel(about["about"], answer, affine_of(about["about"]), dtype)


def named(ref: str) -> Path | None:
    """Return the exported file that a user names in place of a run; None for what is none by its ending.

    Raises:
        RunError: There is no such file.
    """
    path = Path(ref)
    if not is_exported(path):
        return None
    if not path.exists():
        raise RunError(f"{ref}: no such file; `dlexp export RUN --out {path.name}` writes one")
    return path
