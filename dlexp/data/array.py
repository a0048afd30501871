"""A user's own NumPy arrays in one .npz file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from dlexp.data import target as targets
from dlexp.data.bound.archive import CLASS_NAMES, Content, open_archive
from dlexp.data.dataset import Dataset, require_finite
from dlexp.data.file.dialect import Dialect
from dlexp.data.file.moment import WANTED, ranks
from dlexp.data.file.native import native
from dlexp.data.file.number import EXACT
from dlexp.data.joint.array import read_array
from dlexp.data.joint.head import Head
from dlexp.data.joint.join import require_seen
from dlexp.data.joint.label import check_names, encode_all, to_divide_by
from dlexp.data.split import Split
from dlexp.error import ConfigError, DataError, first_ten
from dlexp.type import SEVERAL, Name, Place

_PARTS = ("train", "val", "test")


@dataclass(frozen=True)
class Arrays(Split):
    """Arrays from an .npz file: x and y to be split, or x_train, y_train and optionally x_val, y_val, x_test, y_test.

    Images are (N, H, W, C) or (N, H, W) in bytes or floats in [0, 1]; vectors are (N, D); y is (N,): whole numbers or
    text for classes, floats for values. With x_train, nothing is cut off for testing: the test part is x_test.
    An array `class_names` names the classes 0 to K - 1 of one target.

    Args:
        path: The .npz file.
        target: Name of the array to predict (with x_train NAME_train, ...), or a list of names: an example may then
            lack any of them, which is NaN or an empty text.
        id: Name of an array (N,) of whole numbers or text that names the examples of x; null counts from 0.
        group: Name of an array (N,) of group names for x and y: a group never stands in two parts.
        time: Name of an array (N,) of numbers, datetime64 or ISO dates: train on the earliest, test on the latest.
        time_format: Form of `time` as strptime takes it, for example %d/%m/%Y; null = numbers or ISO dates.
    """

    path: Place = "???"
    target: Name | list[Name] = "y"
    id: str | None = None
    group: str | None = None
    time: str | None = None
    time_format: str | None = None

    def load(self, task: str = "auto") -> Dataset:
        """Return the examples, those of several parts one after another.

        Raises:
            DataError: The file or an array in it cannot be used.
        """
        with open_archive(Path(self.path)) as content:
            return self._read(content, task)

    def _read(self, content: Content, task: str) -> Dataset:
        if not isinstance(self.target, str):
            check_names(self.target)
        parts = _parts(content, self.path, self.target_names)
        wanted = self._wanted(parts)
        unpacked = content.require_memory(wanted)
        inputs = [as_inputs(content.get(f"x{part}"), f"{self.path}, x{part}") for part in parts]
        values, encoded, heads = self._targets(content, {p: len(x) for p, x in zip(parts, inputs, strict=True)}, task)
        _require_same_shape(inputs, parts, self.path)
        bounds = np.cumsum([0, *map(len, inputs)])
        official = {
            part[1:]: torch.arange(bounds[i], bounds[i + 1])
            for i, part in enumerate(parts)
            if part not in ("", "_train")
        }
        if parts != [""]:
            official.setdefault("test", torch.arange(0))
        pool = torch.arange(bounds[1])
        if heads:
            require_seen(values, heads, pool, official, self.path)
        else:
            targets.require_seen(encoded, pool, official, self.path)
        groups = self._column(content, self.group, len(values))
        notes = [*encoded.notes, *self._unread(content, wanted), *unpacked]
        times = None if self.time is None else self._times(content, self.time, len(values))
        train, val, test = self.divide(
            encoded.values, **official, groups=groups, times=times, class_names=encoded.class_names, notes=notes
        )
        name = Path(self.path).stem
        return Dataset(
            name,
            SEVERAL if heads else encoded.task,
            torch.cat(inputs) if len(inputs) > 1 else inputs[0],
            values,
            train,
            val,
            test,
            [] if heads else encoded.class_names,
            heads=heads,
            ids=self._ids(content, len(values)),
            groups=groups,
            times=times,
            notes=notes,
        )

    @property
    def target_names(self) -> list[str]:
        """The names of the targets."""
        return [self.target] if isinstance(self.target, str) else self.target

    def _targets(
        self, content: Content, sizes: dict[str, int], task: str
    ) -> tuple[Tensor, targets.Target, Sequence[Head]]:
        """Return the targets, what the examples are divided by, and of several what each is."""
        if isinstance(self.target, str):
            labels = read_array(content, self.target, sizes, self.path, has_gaps=False).values
            encoded = targets.encode(labels, task, f"{self.path}, {self.target}", content.class_names())
            return encoded.values, encoded, ()
        if CLASS_NAMES in content.keys:
            raise DataError(
                f"{self.path}: got an array {CLASS_NAMES}, which names the classes of one target; data.target names "
                f"{len(self.target)}: store texts in place of their numbers"
            )
        columns = [read_array(content, name, sizes, self.path, has_gaps=True) for name in self.target]
        values, heads, notes = encode_all(columns, task, self.path, "")
        return values, to_divide_by(values, heads, notes), heads

    def _wanted(self, parts: list[str]) -> set[str]:
        """Return the names of the arrays that are read."""
        return {f"{name}{part}" for name in ("x", *self.target_names) for part in parts} | {
            CLASS_NAMES,
            *filter(None, (self.id, self.group, self.time)),
        }

    def _unread(self, content: Content, wanted: set[str]) -> list[str]:
        """Return a line that names the arrays that nothing asks for; none where there are none."""
        names = [key for key in content.keys if key not in wanted]
        return [f"{self.path}: {first_ten('array', names)} not read"] if names else []

    def _column(self, content: Content, key: str | None, num: int) -> Tensor | None:
        if key is None:
            return None
        column = native(self._entries(content, key, num), f"{self.path}, {key}")
        return torch.from_numpy(np.unique(column, return_inverse=True)[1].astype(np.int64))

    def _times(self, content: Content, key: str, num: int) -> Tensor:
        where, column = f"{self.path}, {key}", self._entries(content, key, num)
        is_date = column.dtype.kind == "M"
        column = np.where(np.isnat(column), "", column.astype(str)) if is_date else native(column, where)
        if self.time_format is not None:
            column = column.astype(str)
        distinct, place = np.unique(column, return_inverse=True)
        if column.dtype.kind == "U":
            order = np.array(
                [-1 if rank is None else rank for rank in ranks(distinct.tolist(), self.time_format, Dialect())]
            )
            wanted = WANTED if self.time_format is None else f"data.time_format={self.time_format!r} does not fit"
            targets.refuse_rows(where, column, order[place] < 0, wanted)
            return torch.from_numpy(order[place].astype(np.int64))
        if column.dtype.kind == "f":
            targets.refuse_rows(where, column, ~np.isfinite(column), "a time is needed in every row")
        return torch.from_numpy(place.astype(np.int64))

    def _ids(self, content: Content, num: int) -> list[str] | None:
        if self.id is None:
            return None
        column = native(self._entries(content, self.id, num), f"{self.path}, {self.id}")
        _, first, counts = np.unique(column, return_index=True, return_counts=True)
        if (counts > 1).any():
            got = column[first[counts > 1][0]]
            rows = np.flatnonzero(column == got).tolist()
            raise DataError(f"{self.path}, {self.id}, {first_ten('row', rows)}: got {got} in each; ids must differ")
        return [str(entry) for entry in column.tolist()]

    def _entries(self, content: Content, key: str, num: int) -> np.ndarray:
        column = content.get(key)
        if column.shape != (num,):
            raise DataError(f"{self.path}, {key}: got shape {column.shape}; ({num},), one entry an example, is needed")
        return column


def _parts(content: Content, path: str, names: list[str]) -> list[str]:
    """Return the suffixes of the parts that the file has: [""] or ["_train", ...]."""
    if "x" in names:
        raise ConfigError("data.target: got x; that array has the inputs")
    if "x" in content.keys and "x_train" in content.keys:
        raise DataError(f"{path}: got x and x_train; either is needed alone")
    if "x" in content.keys:
        return [""]
    if "x_train" not in content.keys:
        raise DataError(
            f"{path}: got arrays {', '.join(content.keys) or 'none'}; x and {names[0]}, or x_train and "
            f"{names[0]}_train, are needed"
        )
    parts = [f"_{part}" for part in _PARTS if f"x_{part}" in content.keys]
    lacking = [(part, name + part) for part in parts for name in names if name + part not in content.keys]
    if lacking:
        part, name = lacking[0]
        raise DataError(f"{path}: got x{part} without its targets; {name} is needed beside it")
    return parts


def as_inputs(x: np.ndarray, where: str) -> Tensor:
    """Return an array of vectors or images as a data set holds it.

    Args:
        x: (N, D), (N, H, W) or (N, H, W, C).
        where: File and array that begin a message.

    Raises:
        DataError: Type, shape or values cannot be inputs.
    """
    x = native(x, where)
    if x.dtype.kind == "U":
        raise DataError(f"{where}: got text such as {str(x.flat[0]) if x.size else ''!r}; numbers are needed")
    if x.ndim not in (2, 3, 4) or 0 in x.shape:
        cure = ": x.reshape(-1, 1) makes one input of it" if x.ndim == 1 and x.size else ""
        raise DataError(
            f"{where}: got shape {x.shape}; (N, H, W, C), (N, H, W) or (N, D) without empty axes is needed{cure}"
        )
    if x.ndim == 2:
        # Whole numbers of two bytes are exact in float32.
        is_small = x.dtype == np.float32 or (x.dtype.kind in "biu" and x.dtype.itemsize <= 2)
        _refuse_rounded(x, where)
        vectors = torch.from_numpy(np.require(x, np.float32 if is_small else np.float64, ["C", "W"]))
        require_finite(where, vectors)
        return vectors
    return _images(x if x.ndim == 4 else x[..., None], where)


def _refuse_rounded(x: np.ndarray, where: str) -> None:
    """Refuse whole numbers that float64 has not: beyond 2^53 it has every second one, then every fourth, ..."""
    if x.dtype.kind not in "iu" or x.dtype.itemsize < 8:
        return
    rows = np.flatnonzero(((x >= EXACT) | (x <= -EXACT)).any(1))
    rows = rows[[any(int(number) != int(float(number)) for number in x[row].tolist()) for row in rows.tolist()]]
    if len(rows):
        got = next(number for number in x[rows[0]].tolist() if int(number) != int(float(number)))
        raise DataError(
            f"{where}, {first_ten('row', rows.tolist())}: got {got}; as a number it keeps 15 digits: subtract the "
            "least of the column, or leave it out"
        )


def _images(x: np.ndarray, where: str) -> Tensor:
    if x.shape[-1] > 4 and x.shape[1] <= 4:
        raise DataError(f"{where}: got shape {x.shape}; channels come last: (N, H, W, C)")
    if x.dtype == np.uint8:
        return torch.from_numpy(np.ascontiguousarray(x))
    top, name = (1, "floats in [0, 1]") if x.dtype.kind in "fb" else (255, "whole numbers from 0 to 255")
    if x.dtype.kind == "f":
        require_finite(where, torch.from_numpy(x))
    rows = np.flatnonzero(((x < 0) | (x > top)).reshape(len(x), -1).any(1)).tolist()
    if rows:
        raise DataError(
            f"{where}, {first_ten('row', rows)}: got values from {x.min()} to {x.max()}; images are {name}: "
            "divide by the largest value that can be"
        )
    return torch.from_numpy(np.ascontiguousarray(x, dtype=np.uint8 if top == 255 else np.float32))


def _require_same_shape(inputs: list[Tensor], parts: list[str], path: str) -> None:
    for part, x in zip(parts[1:], inputs[1:], strict=True):
        if x.shape[1:] != inputs[0].shape[1:] or x.dtype != inputs[0].dtype:
            raise DataError(
                f"{path}: x{part} holds {tuple(x.shape[1:])} {x.dtype}, x{parts[0]} {tuple(inputs[0].shape[1:])} "
                f"{inputs[0].dtype}; all parts need one shape and type"
            )
