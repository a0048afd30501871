"""Files of safetensors: the weights alone, with the configuration that builds the network around them.

dlexp reads them bit for bit as the run's own; others find the names of torch's ``state_dict``.
"""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from dlexp.build.model import build_meta_model
from dlexp.error import DlexpError, RunError, first_line
from dlexp.execution.save.saved_model import SavedModel, assemble, outputs_stated
from dlexp.export import facts
from dlexp.type import Config

MOST_HEADER = 100_000_000  # bytes, that safetensors itself allows


def write(model: SavedModel, about: dict[str, Any]) -> bytes:
    """Return the content of a file.

    Args:
        model: With the best weights, on the CPU.
        about: The facts.
    """
    tensors = {name: tensor.detach().contiguous() for name, tensor in model.module.state_dict().items()}
    return save(tensors, {facts.KEY: facts.text_of(about), "format": "pt"})


def read(content: bytes, where: Path, device: torch.device | str) -> tuple[dict[str, Any], SavedModel]:
    """Return the facts of a file, and its model.

    Args:
        content: Of the file.
        where: The file, for messages.
        device: Where it computes.

    Raises:
        RunError: It is damaged, or its configuration names what may not be built.
    """
    about = facts.read(_held(content, where), where)
    try:
        tensors = load(content)
    except (SafetensorError, ValueError) as error:
        raise _damaged(where, error) from error
    config = facts.require_config(about, where)
    _require_shapes(about, config, tensors, where)
    try:
        return about, assemble(about["about"], config, tensors, device)
    except DlexpError:
        raise
    except (RuntimeError, KeyError, TypeError) as error:
        raise _damaged(where, error) from error


def _require_shapes(about: dict[str, Any], config: Config, tensors: dict[str, Tensor], where: Path) -> None:
    """Check that the configuration builds a network of the file's shapes, before it takes memory.

    Raises:
        RunError: It builds another one.
    """
    shape, outputs = tuple(about["about"]["in_shape"]), outputs_stated(about["about"])
    try:
        blank = build_meta_model(config, shape, outputs)
    except RuntimeError as error:
        if config["trusted"]:  # a constructor of the user's may compute with numbers
            return
        raise _damaged(where, error) from error
    wanted = {name: tensor.shape for name, tensor in blank.state_dict().items()}
    if wanted != {name: tensor.shape for name, tensor in tensors.items()}:
        raise _damaged(where, ValueError("names or shapes differ from those of its configuration"))


def _held(content: bytes, where: Path) -> str | None:
    """Return the facts in a file's header: 8 bytes of its length, then JSON."""
    length = int.from_bytes(content[:8], "little")
    if not 2 <= length <= min(MOST_HEADER, len(content) - 8):
        raise _damaged(where, ValueError("no header"))
    try:
        held = json.loads(content[8 : 8 + length])["__metadata__"][facts.KEY]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return held if isinstance(held, str) else None


def _damaged(where: Path, error: Exception) -> RunError:
    return RunError(f"{where}: no file of safetensors that fits its facts ({first_line(error)}); export the run anew")
