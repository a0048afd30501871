"""Weights by name in a file: a run's checkpoint, an exported .safetensors or .pt2, a state_dict of torchvision."""

import argparse
import os
import pickle
import re
import warnings
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from dlexp.error import ConfigError, first_line
from dlexp.weight.archive import read_archive

WRAPPED = ("state_dict", "model", "model_state_dict")  # under which files of others mostly keep the weights
_CANNOT_READ = (SafetensorError, pickle.UnpicklingError, RuntimeError, OSError, EOFError, ValueError, KeyError)
OF_A_RUN = "name a run by its id, or a file of weights"  # the cure where both are taken
MADE = re.compile(r"GLOBAL (\S+) ")  # torch's words for what only running the file would make


def read_weights(path: str, key: str, cure: str = "name a file of weights") -> dict[str, Tensor]:
    """Return the tensors in a file; nothing of it is run.

    Args:
        path: Of the file.
        key: The setting that names it.
        cure: What to do where there is no such file.

    Raises:
        ConfigError: There is no such file, or it holds no weights by name.
    """
    try:
        state = os.stat(path)
    except (OSError, ValueError):
        raise ConfigError(f"{key}: got {path}; there is no such file: {cure}") from None
    try:
        return _read(path, state.st_mtime_ns, state.st_size)
    except _CANNOT_READ as error:
        raise ConfigError(f"{key}: got {path}; it cannot be read as weights by name: {_why(error)}") from error


@lru_cache(maxsize=4)  # the trials of a sweep, the folds of a cv
def _read(path: str, _changed: int, _size: int) -> dict[str, Tensor]:
    if path.endswith(".safetensors"):
        return load_file(path)
    content: Any = read_archive(path) if path.endswith(".pt2") else _unpickle(path)
    if not _is_weights(content):
        raise ValueError("a .safetensors or a state_dict is needed")
    return dict(content)


def _unpickle(path: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of forms that torch does not write itself; what it cannot read it refuses
        with torch.serialization.safe_globals([argparse.Namespace]):  # the options of a script, plain attributes
            content = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(content, dict) or _is_weights(content):
        return content
    inner = {name: value for name, value in content.items() if _is_weights(value)}
    usual = next((name for name in (*WRAPPED, *inner) if name in inner), None)
    if len(inner) > 1 and usual not in WRAPPED:
        raise ValueError(f"it holds those of several nets, {', '.join(inner)}; save one of them alone")
    return content if usual is None else inner[usual]


def _why(error: Exception) -> str:
    """Return why a file cannot be read, without torch's advice to run what is in it."""
    cure = "save its weights alone, by torch.save(model.state_dict(), FILE)"
    text = str(error)
    if "TorchScript" in text:
        return f"it is a program of TorchScript; {cure}"
    if made := MADE.search(text):
        return f"it holds {made[1]}, which only running the file would make; {cure}"
    return "it was not written by torch.save" if isinstance(error, pickle.UnpicklingError) else first_line(error)


def _is_weights(content: Any) -> bool:
    return isinstance(content, Mapping) and bool(content) and all(isinstance(v, Tensor) for v in content.values())
