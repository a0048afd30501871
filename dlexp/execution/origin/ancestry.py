"""The runs whose weights a training begins with, and which of its held-out examples they were trained on."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from dlexp.build.dataset import load_data
from dlexp.data.dataset import Dataset
from dlexp.error import ConfigError, DlexpError
from dlexp.number import noun
from dlexp.run.division import read_division
from dlexp.run.folder import MANIFEST, RunFolder
from dlexp.run.stored import stored_config
from dlexp.type import RECONSTRUCT, Config


@dataclass(frozen=True)
class Seen:
    """Examples that a run before was trained on.

    Attributes:
        run_id: Of that run.
        rows: Of the data.
        is_labelled: Whether it learnt from their targets.
    """

    run_id: str
    rows: Tensor
    is_labelled: bool

    def count(self, part: Tensor) -> int:
        """Return how many examples of a part are among them."""
        return int(torch.isin(part, self.rows).sum())


def ancestors(config: Config) -> Iterator[RunFolder]:
    """Yield the runs whose weights a training begins with: the one that is named, the one that it began with, ...

    A file that lies in no run's folder, such as an exported one, has none.
    """
    path, paths = _named(config), set()
    while path is not None and path not in paths:
        paths.add(path)
        place = Path(path).parent.parent.parent  # checkpoints/best/weights.safetensors
        if not (place / MANIFEST).is_file():
            return
        folder = RunFolder(place)
        yield folder
        path = _named(folder.config)


def _named(config: Config) -> str | None:
    """Return the file that a configuration names; runs of before have no such setting."""
    return config.get("init_from", {}).get("run")


def seen_before(config: Config, data: Dataset) -> list[Seen]:
    """Return what the runs before were trained on of the same data."""
    return [
        Seen(folder.run_id, _trained_on(folder), folder.manifest["task"] != RECONSTRUCT)
        for folder in ancestors(config)
        if folder.manifest["data"]["fingerprint"] == data.fingerprint
    ]


def warn_of_seen(config: Config, data: Dataset) -> list[str]:
    """Return a line for each run before that was trained on held-out examples of this one."""
    lines = []
    for seen in seen_before(config, data):
        parts = {"validation": data.val, "test": data.test}
        counts = {name: (seen.count(part), len(part)) for name, part in parts.items()}
        told = [f"{num:,} of the {noun(total, f'{name} example')}" for name, (num, total) in counts.items() if num]
        if told:
            by = "" if seen.is_labelled else ", without their targets"
            lines.append(
                f"init_from: run {seen.run_id} was trained on {' and '.join(told)} of this one{by}: scores on them are "
                "flattered; pre-train with the same data.split_seed, or on other data"
            )
    return lines


def check_unseen(config: Config, data: Dataset, held_out: Tensor) -> list[str]:
    """Refuse a cross-validation that begins with weights which know the targets of what its folds hold out.

    Args:
        config: Names the weights.
        data: All of it.
        held_out: Rows that any fold holds out.

    Returns:
        A line for each run before that knows of them without their targets.

    Raises:
        ConfigError: A run before was trained on some of them.
    """
    lines = []
    for seen in seen_before(config, data):
        what = f"{seen.count(held_out):,} of the {noun(len(held_out), 'example')} that the folds hold out"
        if seen.count(held_out) and seen.is_labelled:
            raise ConfigError(
                f"init_from.run: got weights of run {seen.run_id}, which was trained on {what}: their scores would be "
                "flattered; pre-train on other data"
            )
        if seen.count(held_out):
            lines.append(
                f"init_from: run {seen.run_id} was trained on {what}, without their targets: scores may be flattered"
            )
    return lines


def _trained_on(folder: RunFolder) -> Tensor:
    """Return the rows of a run's training part; a trial of a sweep has them by its configuration alone."""
    rows = read_division(folder)
    return load_data(stored_config(folder)).train if rows is None else torch.from_numpy(rows["train"])


def describe_start(config: Config) -> dict[str, str]:
    """Return what a manifest says of the run whose weights a training begins with; nothing where there is none."""
    try:
        first = next(ancestors(config), None)
        return {} if first is None else {"run": first.run_id, "fingerprint": first.manifest["data"]["fingerprint"]}
    except (DlexpError, KeyError):  # a folder that is damaged
        return {}
