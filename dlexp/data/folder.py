"""A user's own images: a folder for each class, or a list of files with labels."""

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from annotated_types import Interval
from torch import Tensor

from dlexp.data import target as targets
from dlexp.data.dataset import Dataset
from dlexp.data.fact.spelling import one_category
from dlexp.data.file.column import read_columns, require_name
from dlexp.data.file.columnar import is_columnar
from dlexp.data.file.dialect import Dialect
from dlexp.data.file.label import read_labels
from dlexp.data.file.record import records
from dlexp.data.file.text import Texts
from dlexp.data.picture.decoded import Decoded, decode_all, find_broken, name_all
from dlexp.data.picture.form import Format
from dlexp.data.picture.listing import (
    HIDDEN,
    Reason,
    has_pictures,
    is_hidden,
    is_picture,
    list_folders,
    list_pictures,
    say,
)
from dlexp.data.split import Split
from dlexp.error import ConfigError, DataError, first_ten
from dlexp.number import noun
from dlexp.type import Count, Place

_PARTS = {"train": ("train", "training"), "val": ("val", "valid", "validation"), "test": ("test", "testing")}
_BESIDE: Reason = ("picture", " beside the folders of classes")
_PART_OF = {name: part for part, names in _PARTS.items() for name in names}


@dataclass(frozen=True)
class Pictures:
    """The pictures of a folder.

    Attributes:
        files: Paths relative to it.
        labels: (N,) numbers or text.
        parts: Name of the part of each file; None where the folder has no parts.
        notes: What was left out, and labels in more than one spelling.
    """

    files: list[str]
    labels: np.ndarray
    parts: list[str] | None
    notes: list[str]

    def without(self, rows: dict[int, str]) -> "Pictures":
        """Return the same without some files, which are named."""
        if not rows:
            return self
        keep = [i for i in range(len(self.files)) if i not in rows]
        parts = None if self.parts is None else [self.parts[i] for i in keep]
        note = f"data.broken=skip: {noun(len(rows), 'file')} left out: {name_all(self.files, rows)}"
        return Pictures([self.files[i] for i in keep], self.labels[keep], parts, [*self.notes, note])


@dataclass(frozen=True)
class ImageFolder(Split):
    """Image files: path/CLASS/*, or path/{train,val,test}/CLASS/*, or a .csv with columns file and label.

    What holds pictures is a class, what holds folders is a part. With a train folder nothing is cut off for testing:
    the test part is the test folder. All images are decoded once and kept as bytes.

    Args:
        path: The folder.
        labels: A .csv with columns `file` (relative to `path`) and `label`; null takes the folders' names as labels.
        encoding: Characters of that .csv: utf-8, latin-1, ...
        size: Height and width in pixels; null keeps the files', which must then be equal.
        fit: How a picture comes to `size`: crop (the middle), stretch, or pad (black borders).
        color: rgb or grey.
        depth: Bits that the values of 16- or 32-bit pictures use, for example 12; null scales the range used over the
            training part to 8 bits.
        broken: Refuse files that cannot be decoded, or skip them by name.
        memory: Size such as 4GiB that decoded images may take in memory where they are not mapped from `cache`; null =
            0.8 of what is free.
        cache: Folder for the decoded images, from which this and later runs map them; null decodes into memory at
            every start.
    """

    path: Place = "???"
    labels: Place | None = None
    encoding: str = "utf-8"
    size: Count | None = 128
    fit: Literal["crop", "stretch", "pad"] = "crop"
    color: Literal["rgb", "grey"] = "rgb"
    depth: Annotated[int, Interval(ge=1, le=32)] | None = None
    broken: Literal["refuse", "skip"] = "refuse"
    memory: str | None = None
    cache: Place | None = "data/cache"

    def load(self, task: str = "auto") -> Dataset:
        """Return the images as (N, size, size, C) bytes (floats with `depth`), ordered by part, class and name.

        Raises:
            DataError: Names the folder or the first ten files at fault.
        """
        root = Path(self.path)
        if not root.is_dir():
            raise DataError(f"{root}: no such folder; data.path names a folder of images")
        form = Format(self.size, self.fit, self.color, self.depth)
        pictures = self._pictures(root, task)
        if self.broken == "skip":
            pictures = pictures.without(find_broken(root, pictures.files, form))
        where = self.labels or str(root)
        encoded = targets.encode(pictures.labels, task, where)
        official = _official(pictures.parts)
        pool = torch.arange(len(pictures.files)) if official is None else official["train"]
        rest = {} if official is None else {part: official[part] for part in official if part != "train"}
        targets.require_seen(encoded, pool, rest, where)
        parts = self.divide(encoded.values, val=rest.get("val"), test=rest.get("test"), class_names=encoded.class_names)
        decoder = Decoder(root, pictures.files, form, encoded.values, self.cache, self.broken, self.memory)
        decoded = decoder.decode(parts[0])
        return Dataset(
            root.absolute().name,
            encoded.task,
            decoded.inputs,
            encoded.values,
            *parts,
            class_names=encoded.class_names,
            ids=pictures.files,
            fingerprint=decoded.fingerprint,
            encoding=decoder.encoding(decoded),
            encode=None if decoded.form.span is None else decoder,
            notes=[*pictures.notes, *encoded.notes, *decoded.notes],
        )

    def _pictures(self, root: Path, task: str) -> Pictures:
        if self.labels is not None:
            return _listed(root, Path(self.labels), self.encoding, task)
        if self.encoding != "utf-8":
            raise ConfigError(f"data.encoding: got {self.encoding} without data.labels; names of folders have none")
        return _scan(root)


@dataclass(frozen=True)
class Decoder:
    """Pictures whose inputs depend on the training part: the values that its deep ones use become 0 to 255.

    Attributes:
        root: Folder that the files are in.
        files: Paths relative to it.
        form: How each picture is brought to its form.
        targets: (N,) classes or values.
        cache: Folder for the decoded images; None keeps them in memory.
        broken: What predicting does with files that cannot be decoded.
        memory: Limit of decoded images in memory.
    """

    root: Path
    files: list[str]
    form: Format
    targets: Tensor
    cache: str | None
    broken: str
    memory: str | None

    def __call__(self, train: Tensor) -> dict[str, Any]:
        """Return the fields of a data set that are settled on the rows of a training part."""
        decoded = self.decode(train)
        return {"inputs": decoded.inputs, "encoding": self.encoding(decoded)}

    def decode(self, train: Tensor) -> Decoded:
        """Return all pictures as the rows of a training part settle them."""
        return decode_all(self.root, self.files, self.form, self.targets, self.cache, train, self.memory)

    def encoding(self, decoded: Decoded) -> dict[str, Any]:
        """Return what predicting needs to read new pictures in the same way."""
        return {"kind": "image", "broken": self.broken, **vars(decoded.form)}


def _official(parts: list[str] | None) -> dict[str, Tensor] | None:
    """Return the rows of each part that the folder has; a test part always, which may be empty."""
    if parts is None:
        return None
    names = np.array(parts)
    rows = {part: torch.from_numpy(np.flatnonzero(names == part)) for part in dict.fromkeys(parts)}
    return {"test": torch.arange(0), **rows}


def _scan(root: Path) -> Pictures:
    parts = _find_parts(root)
    left_out: Counter = Counter()
    pictures: list[tuple[str, str, str]] = []
    if parts:
        left_out[_BESIDE] += sum(map(is_picture, root.iterdir()))
    for part in ("train", "val", "test") if parts else ("",):
        if part in parts or not part:
            pictures += [(part, *entry) for entry in _classes(root, parts.get(part, root), left_out)]
    names, files, labels = zip(*pictures, strict=True)
    return Pictures(list(files), np.array(labels), list(names) if parts else None, say(left_out))


def _find_parts(root: Path) -> dict[str, Path]:
    """Return the folders of the parts, empty where the folders are classes.

    Raises:
        DataError: Parts that are named twice, without train, or beside what is none.
    """
    folders = list_folders(root, Counter())
    holders = [folder for folder in folders if not has_pictures(folder) and list_folders(folder, Counter())]
    named = [folder for folder in holders if folder.name.lower() in _PART_OF]
    if not named:
        return {}
    parts: dict[str, Path] = {}
    for folder in named:
        part = _PART_OF[folder.name.lower()]
        if part in parts:
            raise DataError(f"{root}: got {parts[part].name} and {folder.name}; one folder is the {part} part")
        parts[part] = folder
    others = [folder.name for folder in folders if folder not in named]
    wanted = "train, and optionally val and test, each with a folder for each class"
    if others:
        raise DataError(
            f"{root}: got {first_ten('folder', others)} beside {', '.join(f.name for f in named)}; {wanted}"
        )
    if "train" not in parts:
        raise DataError(f"{root}: got {', '.join(f.name for f in named)} without train; {wanted}")
    return parts


def _classes(root: Path, folder: Path, left_out: Counter) -> list[tuple[str, str]]:
    """Return file and class of each picture."""
    classes = list_folders(folder, left_out)
    left_out[HIDDEN] += sum(map(is_hidden, folder.iterdir()))
    left_out[_BESIDE] += sum(map(is_picture, folder.iterdir()))
    if not classes:
        raise DataError(f"{folder}: no class folders in it; images belong into {folder}/CLASS/")
    pictures: list[tuple[str, str]] = []
    empty: list[str] = []
    for entry in classes:
        listing = list_pictures(entry)
        left_out.update(listing.left_out)
        pictures += [(path.relative_to(root).as_posix(), entry.name) for path in listing.files]
        empty += [] if listing.files else [entry.name]
    if empty:
        raise DataError(f"{folder}: {first_ten('class folder', empty)} without images; remove or fill it")
    return pictures


def _listed(root: Path, path: Path, encoding: str, task: str) -> Pictures:
    if not path.exists():
        raise DataError(f"{path}: no such file; data.labels names a table with the columns file and label")
    table = read_columns(path, _label_dialect(path, encoding), _file_and_label)
    texts = table.texts("file")
    is_absent = texts.spread([not (root / name).is_file() for name in texts.names], True)
    table.refuse("file", is_absent, f"no such file in {root}")
    places = texts.spread([os.path.normpath(name) for name in texts.names], "")  # a/0.png and ./a/0.png are one
    is_repeated = np.ones(len(places), dtype=bool)
    is_repeated[np.unique(places, return_index=True)[1]] = False
    table.refuse("file", is_repeated, "another row has it")
    alike = one_category(table, "label")
    labels = read_labels(table, "label", task, "label")
    if isinstance(labels, Texts):
        labels = labels.spread(labels.names, "")
    are_classes = labels.dtype.kind != "f"
    files = [texts.names[code] for code in texts.codes.tolist()]
    return Pictures(files, labels, None, [*_unlabelled(root, files), *(alike if are_classes else [])])


def _label_dialect(path: Path, encoding: str) -> Dialect:
    """Return how a file of labels is written: the delimiter is that which tells its columns; NA is a label."""
    dialects = [Dialect(delimiter, encoding, gaps=("",)) for delimiter in (",", ";", "tab", "|")]
    if path.is_file() and not is_columnar(path):
        for dialect in dialects:
            if {"file", "label"} <= {name.strip() for name in next(records(path, dialect), [])}:
                return dialect
    return dialects[0]


def _unlabelled(root: Path, files: list[str]) -> list[str]:
    """Return a line about pictures that the labels do not name; none where there are none."""
    listed = {(root / file).resolve() for file in files}
    others = [file.relative_to(root).as_posix() for file in list_pictures(root).files if file.resolve() not in listed]
    return [f"{noun(len(others), 'picture')} without a label left out ({others[0]}, ...)"] if others else []


def _file_and_label(names: list[str]) -> dict[str, bool]:
    wanted = ["file", "label"]
    for name in wanted:
        require_name("data.labels", names, name, "image_folder needs it")
    return dict.fromkeys(wanted, True)
