"""The data sets that a process has loaded, by what configurations ask for."""

import json
from typing import Any

from dlexp.build.dataset import load_data, take_fold
from dlexp.data.dataset import Dataset


class Datasets:
    """Loads each data set once, however many configurations ask for it; folds of one share its examples."""

    def __init__(self) -> None:
        self._loaded: dict[str, Dataset] = {}

    def keep(self, config: dict[str, Any], dataset: Dataset) -> None:
        """Take what a configuration asks for from whoever has loaded it already."""
        self._loaded[_key(config)] = dataset

    def __call__(self, config: dict[str, Any]) -> Dataset:
        """Return what a configuration asks for.

        Raises:
            DataError: From the source.
            ConfigError: The task asked for does not fit the targets.
        """
        key = _key(config)
        if key not in self._loaded:
            self._loaded[key] = self._load(config)
        return self._loaded[key]

    def _load(self, config: dict[str, Any]) -> Dataset:
        if config.get("fold") is None:
            return load_data(config)
        return take_fold(config, self({**config, "fold": None}))


def _key(config: dict[str, Any]) -> str:
    place = config.get("fold")
    shared = [config["data"], config["task"], config.get("train_on")]
    return json.dumps([*shared, place, None if place is None else config["cv"]], sort_keys=True)
