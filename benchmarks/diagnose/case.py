"""Faults that are planted, each with the rules that name its cause, and healthy trainings drawn at random."""

from itertools import product
from pathlib import Path

import numpy as np

ARCHITECTURES = {
    "mlp": ["model=mlp", "model.widths=[64,64]"],
    "deep": ["model=mlp", "model.widths=[32,32,32,32,32,32,32,32]"],
    "cnn": ["model=cnn", "model.channels=[8,16,16]"],
}
VECTORS = ["model=mlp", "model.widths=[128,128,128]"]  # in the place of the cnn: pictures are refused outside [0, 1]
SEEDS = range(5)
ADAM = {"optimizer": "adam", "optimizer.lr": "0.003", "norm": "none"}
# by name: overrides, and the rules of which each names the cause
FAULTS: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "zeros": ({"init": "zeros"}, ("symmetric",)),
    "constant": ({"init": "constant"}, ("symmetric",)),
    "inputs x 1000": ({"data": "large", "normalize": "none"}, ("unscaled",)),
    "inputs x 0.001": ({"data": "small", "normalize": "none"}, ("unscaled",)),
    "tanh, inputs x 1000": ({"data": "large", "normalize": "none", "activation": "tanh"}, ("unscaled",)),
    "normal std 1": ({"init": "normal", "init.std": "1"}, ("signal", "init_loss")),
    "normal std 0.001": ({"init": "normal", "init.std": "0.001"}, ("signal",)),
    "uniform 0.003": ({"init": "uniform", "init.bound": "0.003"}, ("signal",)),
    "xavier gain 10": ({"init": "xavier_uniform", "init.gain": "10"}, ("signal", "init_loss")),
    "tanh, normal std 2": ({"activation": "tanh", "init": "normal", "init.std": "2"}, ("saturated", "signal")),
    "sigmoid, normal std 5": ({"activation": "sigmoid", "init": "normal", "init.std": "5"}, ("saturated", "signal")),
    "sigmoid": ({"activation": "sigmoid", "optimizer": "sgd", "optimizer.lr": "0.1"}, ("gradient_vanishes",)),
    "sigmoid, normal std 0.01": (
        {"activation": "sigmoid", "init": "normal", "init.std": "0.01"},
        ("signal", "gradient_vanishes"),
    ),
    "adam lr 1e-7": ({"optimizer.lr": "1e-7"}, ("lr_small",)),
    "sgd lr 1e-6": ({"optimizer": "sgd", "optimizer.lr": "1e-6"}, ("lr_small",)),
    "adam lr 3": ({"optimizer.lr": "3"}, ("lr_large",)),
    "sgd lr 30": ({"optimizer": "sgd", "optimizer.lr": "30"}, ("lr_large",)),
    "batch norm, momentum lr 30": ({"norm": "batch", "optimizer": "momentum", "optimizer.lr": "30"}, ("lr_large",)),
}
RATES = {"sgd": ("0.1", "0.03"), "momentum": ("0.03", "0.01"), "adam": ("0.001", "0.003")}
DATA = ("wine", "breast_cancer", "iris", "diabetes", "spirals", "pictures")


def overrides_of(fault: str, architecture: str, seed: int) -> list[str]:
    """Return the overrides of a training with a planted fault; its data stand as ``data=plain``, large or small."""
    settings = {"data": "plain", **ADAM, **FAULTS[fault][0], "seed": str(seed)}
    is_scaled = settings["data"] != "plain"
    model = VECTORS if is_scaled and architecture == "cnn" else ARCHITECTURES[architecture]
    return [*model, *(f"{key}={value}" for key, value in settings.items())]


def healthy(num: int) -> list[list[str]]:
    """Return the overrides of so many different trainings as a careful user would write them."""
    draw = np.random.default_rng(17)
    nets = ("mlp", "deep", "cnn")
    grid = list(
        product(DATA, nets, ("relu", "tanh", "gelu", "leaky_relu", "elu"), ("none", "batch", "layer"), RATES, (0, 1))
    )
    able = [row for row in grid if row[1] != "cnn" or row[0] == "pictures"]
    chosen = [able[place] for place in draw.choice(len(able), num, replace=False)]
    return [
        [
            *ARCHITECTURES[net],
            f"data={'plain' if data == 'pictures' else data}",
            f"activation={activation}",
            f"norm={norm}",
            f"optimizer={optimizer}",
            f"optimizer.lr={RATES[optimizer][place]}",
            f"seed={number}",
        ]
        for number, (data, net, activation, norm, optimizer, place) in enumerate(chosen)
    ]


def write_pictures(folder: Path, x_NHW: np.ndarray, y_N: np.ndarray) -> None:
    """Write the pictures of faults: as they are, a thousand times as bright, and a thousandth."""
    for name, factor in (("plain", 1.0), ("large", 1000.0), ("small", 0.001)):
        x = x_NHW if factor == 1.0 else factor * x_NHW.reshape(len(x_NHW), -1)
        np.savez(folder / f"{name}.npz", x=x.astype(np.float32), y=y_N)
