"""A model's weights by layer, as its best checkpoint has them, in the order of the layers."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

NAME = "weights.safetensors"
IMAGE_KERNEL = 4  # dimensions: outputs, channels, height, width


def is_kernel(name: str, num_dims: int) -> bool:
    """Say whether a weight is a matrix or a kernel, which biases and norms are not."""
    return num_dims >= 2 and name.endswith("weight")


def read_weights(checkpoint: Path, layers: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """Return the weights of each layer, from the input on; empty where there are none to be read.

    Args:
        checkpoint: Its folder.
        layers: Names in the order of the network; without them, as earlier versions wrote none, that of the names.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        arrays = load_file(checkpoint / NAME)
    except (OSError, SafetensorError, KeyError, TypeError):  # numpy knows no bfloat16
        return {}
    kernels = {name: array for name, array in arrays.items() if is_kernel(name, array.ndim)}
    places = {name: place for place, name in enumerate(layers)}
    ordered = sorted(kernels, key=lambda name: (places.get(name, len(places)), _place(name)))
    return {name: kernels[name].astype(np.float64) for name in ordered}


def first_filters(weights: dict[str, np.ndarray]) -> np.ndarray | None:
    """Return the filters (O, C, H, W) of the first layer, if it is a convolution of more than a pixel."""
    first = next(iter(weights.values()), None)
    return None if first is None or first.ndim != IMAGE_KERNEL or first[0, 0].size < 2 else first


def root_mean_squares(weights: dict[str, np.ndarray]) -> tuple[list[str], list[float]]:
    """Return the name of each layer, and sqrt(mean w^2) of its weights."""
    sizes = [float(np.sqrt((array**2).mean())) for array in weights.values()]
    return [name.removesuffix(".weight") for name in weights], sizes


def _place(name: str) -> tuple[bool, list[tuple[int, int, str]]]:
    """Return what orders layers as they follow each other: numbers as numbers, the output last."""
    words = [(0, int(word), "") if word.isdigit() else (1, 0, word) for word in re.split(r"[._]", name)]
    return name.startswith("output"), words
