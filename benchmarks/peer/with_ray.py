"""The same search with Ray Tune, a core for each trial: ``with_ray.py EPOCHS TRIALS``."""

import importlib
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

from benchmarks.peer.digits import epochs_of_command
from benchmarks.peer.plain import fit

tune: Any = importlib.import_module("ray.tune")  # of the extra `bench`


def main(epochs: int, trials: int) -> None:
    """Search and print the best accuracy."""

    def objective(config: dict[str, Any]) -> None:
        torch.set_num_threads(1)
        with tempfile.TemporaryDirectory() as scratch:
            tune.report({"accuracy": fit(epochs, config["lr"], 0, Path(scratch))})

    with tempfile.TemporaryDirectory() as scratch:
        tuner = tune.Tuner(
            tune.with_resources(objective, {"cpu": 1}),
            param_space={"lr": tune.loguniform(1e-3, 1.0)},
            tune_config=tune.TuneConfig(num_samples=trials, metric="accuracy", mode="max"),
            run_config=tune.RunConfig(storage_path=scratch, verbose=0),
        )
        print((tuner.fit().get_best_result().metrics or {})["accuracy"])


if __name__ == "__main__":
    main(epochs_of_command(), int(sys.argv[2]))
