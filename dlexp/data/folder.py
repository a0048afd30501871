"""A user's own images: a folder for each class, or a list of files with labels."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from annotated_types import Interval
from torch import Tensor

from dlexp.data import target as targets
from dlexp.data.dataset import Dataset
from dlexp.data.joint.head import Head
from dlexp.data.joint.label import Labels, check_names, encode_all, to_divide_by
from dlexp.data.picture.decoded import Decoded, decode_all, find_broken
from dlexp.data.picture.form import Format
from dlexp.data.picture.labelled import LABEL, Pictures, read_list
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
from dlexp.type import SEVERAL, Count, Name, Place

_PARTS = {"train": ("train", "training"), "val": ("val", "valid", "validation"), "test": ("test", "testing")}
_BESIDE: Reason = ("picture", " beside the folders of classes")
_PART_OF = {name: part for part, names in _PARTS.items() for name in names}


@dataclass(frozen=True)
class ImageFolder(Split):
    """Image files: path/CLASS/*, or path/{train,val,test}/CLASS/*, or a .csv with columns file and label.

    What holds pictures is a class, what holds folders is a part. With a train folder nothing is cut off for testing:
    the test part is the test folder. All images are decoded once and kept as bytes.

    Args:
        path: The folder.
        labels: A .csv with columns `file` (relative to `path`) and `label`; null takes the folders' names as labels.
        target: Name of that .csv's column with labels, or a list of names: a row may then lack any of them.
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
    target: Name | list[Name] = "label"
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
        values, encoded, heads = self._encoded(pictures, task, where)
        official = _official(pictures.parts)
        pool = torch.arange(len(pictures.files)) if official is None else official["train"]
        rest = {} if official is None else {part: official[part] for part in official if part != "train"}
        targets.require_seen(encoded, pool, rest, where)  # parts are of folders, whose names are the only target
        parts = self.divide(encoded.values, val=rest.get("val"), test=rest.get("test"), class_names=encoded.class_names)
        decoder = Decoder(root, pictures.files, form, values, self.cache, self.broken, self.memory)
        decoded = decoder.decode(parts[0])
        return Dataset(
            root.absolute().name,
            SEVERAL if heads else encoded.task,
            decoded.inputs,
            values,
            *parts,
            class_names=[] if heads else encoded.class_names,
            heads=heads,
            ids=pictures.files,
            fingerprint=decoded.fingerprint,
            encoding=decoder.encoding(decoded),
            encode=None if decoded.form.span is None else decoder,
            notes=[*pictures.notes, *encoded.notes, *decoded.notes],
        )

    def _pictures(self, root: Path, task: str) -> Pictures:
        if self.labels is not None:
            if not isinstance(self.target, str):
                check_names(self.target)
            return read_list(root, Path(self.labels), self.encoding, task, self.target)
        if self.encoding != "utf-8":
            raise ConfigError(f"data.encoding: got {self.encoding} without data.labels; names of folders have none")
        if self.target != LABEL:
            raise ConfigError(f"data.target: got {self.target} without data.labels, the table that has such columns")
        return _scan(root)

    def _encoded(self, pictures: Pictures, task: str, where: str) -> tuple[Tensor, targets.Target, Sequence[Head]]:
        """Return the targets, what the examples are divided by, and of several what each is."""
        if isinstance(self.target, str):
            (labels,) = pictures.labels
            encoded = targets.encode(labels.values, task, where)
            notes = [*encoded.notes, *(labels.alike if encoded.class_names else [])]
            return encoded.values, replace(encoded, notes=notes), ()
        values, heads, notes = encode_all(pictures.labels, task, where)
        return values, to_divide_by(values, heads, notes), heads


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
    column = Labels(LABEL, np.array(labels), np.ones(len(labels), dtype=bool))
    return Pictures(list(files), [column], list(names) if parts else None, say(left_out))


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
