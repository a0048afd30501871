"""A user's own images: a folder for each class, or a list of files with labels."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from dlexp.data import target as targets
from dlexp.data.column import read_columns, require_name
from dlexp.data.dataset import Dataset, first_ten
from dlexp.data.decoded import decode_all
from dlexp.data.file.delimited import Dialect
from dlexp.data.file.label import read_labels
from dlexp.data.picture import SUFFIXES, Format
from dlexp.data.split import Split
from dlexp.error import DataError
from dlexp.type import Count

_PARTS = {"train": ("train", "training"), "val": ("val", "valid", "validation"), "test": ("test",)}


@dataclass(frozen=True)
class ImageFolder(Split):
    """Image files: path/CLASS/*, or path/{train,val,test}/CLASS/*, or a .csv with columns file and label.

    With a train folder nothing is cut off for testing: the test part is the test folder. All images are decoded once
    and kept as bytes.

    Args:
        path: The folder.
        labels: A .csv with columns `file` (relative to `path`) and `label`; null takes the folders' names as labels.
        size: Height and width in pixels; null keeps the files', which must then be equal.
        fit: How a picture comes to `size`: crop (the middle), stretch, or pad (black borders).
        color: rgb or grey.
        cache: Folder for the decoded images, which later runs read; null decodes into memory at every start.
    """

    path: str = "???"
    labels: str | None = None
    size: Count | None = 128
    fit: Literal["crop", "stretch", "pad"] = "crop"
    color: Literal["rgb", "grey"] = "rgb"
    cache: str | None = "data/cache"

    def load(self, task: str = "auto") -> Dataset:
        """Return the images as (N, size, size, C) bytes, ordered by part, class and name.

        Raises:
            DataError: Names the folder or the first ten files at fault.
        """
        root = Path(self.path)
        if not root.is_dir():
            raise DataError(f"{root}: no such folder; data.path names a folder of images")
        official: dict[str, Tensor] = {}
        if self.labels is None:
            files, labels, official = _scan(root)
        else:
            files, labels = _listed(root, Path(self.labels), task)
        where = self.labels or str(root)
        encoded = targets.encode(labels, task, where)
        pool = official.pop("train", torch.arange(len(files)))
        targets.require_seen(encoded, pool, official, where)
        parts = self.divide(encoded.values, **official, class_names=encoded.class_names)
        form = Format(self.size, self.fit, self.color)
        inputs, found = decode_all(root, files, form, encoded.values, self.cache)
        return Dataset(
            root.absolute().name,
            encoded.task,
            inputs,
            encoded.values,
            *parts,
            class_names=encoded.class_names,
            ids=files,
            fingerprint=found,
            encoding={"kind": "image", "size": self.size, "fit": self.fit, "color": self.color},
        )


def _scan(root: Path) -> tuple[list[str], np.ndarray, dict[str, Tensor]]:
    """Return the files relative to `root`, their folders' names, and the rows of each official part."""
    parts = {part: root / name for part, names in _PARTS.items() for name in names if (root / name).is_dir()}
    if "train" not in parts:
        files, labels = _classes(root, root)
        return files, np.array(labels), {}
    all_files: list[str] = []
    all_labels: list[str] = []
    rows: dict[str, Tensor] = {}
    for part, folder in parts.items():
        files, labels = _classes(root, folder)
        rows[part] = torch.arange(len(all_files), len(all_files) + len(files))
        all_files += files
        all_labels += labels
    rows.setdefault("test", torch.arange(0))
    return all_files, np.array(all_labels), rows


def _classes(root: Path, folder: Path) -> tuple[list[str], list[str]]:
    classes = sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    if not classes:
        raise DataError(f"{folder}: no class folders in it; images belong into {folder}/CLASS/")
    files: list[str] = []
    labels: list[str] = []
    empty: list[str] = []
    for entry in classes:
        found = sorted(path for path in entry.rglob("*") if _is_image(path))
        files += [path.relative_to(root).as_posix() for path in found]
        labels += [entry.name] * len(found)
        empty += [] if found else [entry.name]
    if empty:
        raise DataError(f"{folder}: {first_ten('class folder', empty)} without images; remove or fill it")
    return files, labels


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()


def _listed(root: Path, path: Path, task: str) -> tuple[list[str], np.ndarray]:
    table = read_columns(path, Dialect(), _file_and_label)
    texts = table.texts("file")
    is_absent = texts.spread([not (root / name).is_file() for name in texts.names], True)
    table.refuse("file", is_absent, f"no such file in {root}")
    _, first = np.unique(texts.codes, return_index=True)
    is_repeated = np.ones(len(texts.codes), dtype=bool)
    is_repeated[first] = False
    table.refuse("file", is_repeated, "another row has it")
    return [texts.names[code] for code in texts.codes.tolist()], read_labels(table, "label", task, "label")


def _file_and_label(names: list[str]) -> list[str]:
    wanted = ["file", "label"]
    for name in wanted:
        require_name("labels", names, name, "image_folder needs it")
    return wanted
