"""Weights by name in a file: a run's checkpoint, an exported .safetensors or .pt2, a state_dict of torchvision."""

import os
import pickle
import warnings
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from dlexp.build.start.archive import read_archive
from dlexp.error import ConfigError, first_line

WRAPPED = ("state_dict", "model")  # under which files of others keep the weights


def read_weights(path: str) -> dict[str, Tensor]:
    """Return the tensors in a file; nothing of it is run.

    Raises:
        ConfigError: There is no such file, or it holds no weights by name.
    """
    try:
        state = os.stat(path)
    except (OSError, ValueError):
        cure = "name a run by its id, or a file of weights"
        raise ConfigError(f"init_from.run: got {path}; there is no such file: {cure}") from None
    return _read(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=4)  # the trials of a sweep, the folds of a cv
def _read(path: str, _changed: int, _size: int) -> dict[str, Tensor]:
    try:
        if path.endswith(".safetensors"):
            return load_file(path)
        content: Any = read_archive(path) if path.endswith(".pt2") else _unpickle(path)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, OSError, EOFError, ValueError, KeyError) as error:
        raise ConfigError(
            f"init_from.run: got {path}; it cannot be read as weights by name: {first_line(error)}"
        ) from error
    if not _is_weights(content):
        raise ConfigError(f"init_from.run: got {path}; weights by name are needed, a .safetensors or a state_dict")
    return dict(content)


def _unpickle(path: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of forms that torch does not write itself; what it cannot read it refuses
        content = torch.load(path, map_location="cpu", weights_only=True)
    inner = next((content[name] for name in WRAPPED if isinstance(content, dict) and name in content), None)
    return content if inner is None or _is_weights(content) else inner


def _is_weights(content: Any) -> bool:
    return isinstance(content, Mapping) and bool(content) and all(isinstance(v, Tensor) for v in content.values())
