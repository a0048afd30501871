"""Many image files as one tensor, decoded by threads, in memory or in a file that is mapped.

A mapped file serves two ends: a later run starts at once, and a set that exceeds the memory is paged in as it is read.
"""

import hashlib
import json
import os
import shutil
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from dlexp.data.dataset import fingerprint
from dlexp.data.file.guard import require_memory
from dlexp.data.picture.flat import say_flat
from dlexp.data.picture.form import DeepError, Format, decode
from dlexp.error import DataError
from dlexp.number import noun

_TEN = 10
_MADE = 2  # counts up when pictures are decoded, or noted, otherwise than before: what lies there is then made anew
HERE = Path()  # the root of pictures that are to be predicted, which their whole paths name


@dataclass(frozen=True)
class Decoded:
    """Pictures as a data set holds them.

    Attributes:
        inputs: (N, H, W, C) bytes, or float32 where a depth is stated.
        fingerprint: Of the data set.
        form: The form asked for, with the span of deep pictures where there are any.
        notes: What was decided, a line each.
    """

    inputs: Tensor
    fingerprint: str
    form: Format
    notes: list[str]


def decode_all(
    root: Path,
    files: Sequence[str],
    form: Format,
    targets: Tensor,
    cache: str | None,
    train: Tensor | None = None,
    memory: str | None = None,
    extent: tuple[int, int] | None = None,
) -> Decoded:
    """Decode files, or map what an earlier run decoded; into memory where the cache may not be written to.

    Args:
        root: Folder that the files are in.
        files: Paths relative to it.
        form: How each picture is brought to its form.
        targets: Belong to the fingerprint.
        cache: Folder for the decoded images; None keeps them in memory only.
        train: Rows whose deep pictures decide the span of values; None takes all.
        memory: Size such as 4GiB that images may take in memory; None is 0.8 of what is free.
        extent: Height and width that pictures without a stated size must have, held in memory; None takes the first's.

    Raises:
        DataError: Files cannot be decoded, differ in size, or do not fit.
    """
    rows = range(len(files)) if train is None else train.tolist()
    if cache is None:
        return _in_memory(root, files, form, targets, rows, memory, extent)
    path, decided_by = Path(cache) / f"{_key(root, files, form, targets)}.bin", _digest(rows)
    decoded = _stored(path, form, targets, decided_by)
    if decoded is None and not _may_be_written(path.parent):
        decoded = _in_memory(root, files, form, targets, rows, memory)
        note = f"data.cache: {path.parent} may not be written to; the images are decoded into memory at every start"
        return replace(decoded, notes=[*decoded.notes, note])
    if decoded is None:
        _write(path, root, files, form, targets, rows)
        decoded = _stored(path, form, targets, decided_by)
    if decoded is None:
        raise DataError(f"{path}: the decoded images are not what was written; the disk is damaged, set data.cache")
    return decoded


def _in_memory(
    root: Path,
    files: Sequence[str],
    form: Format,
    targets: Tensor,
    rows: Sequence[int],
    memory: str | None,
    extent: tuple[int, int] | None = None,
) -> Decoded:
    height, width = extent or _extent(root, files, form)
    size = len(files) * height * width * form.num_channels * np.dtype(form.dtype).itemsize
    require_memory(size, "decoded images", "set data.cache to a folder, or a smaller data.size", memory)
    images = np.empty((len(files), height, width, form.num_channels), form.dtype)
    form, notes = _fill(images, root, files, form, rows)
    inputs = torch.from_numpy(images)
    return Decoded(inputs, fingerprint(inputs, targets), form, notes)


def _may_be_written(folder: Path) -> bool:
    nearest = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    return not nearest.is_dir() or os.access(nearest, os.W_OK | os.X_OK)


def _stored(path: Path, form: Format, targets: Tensor, decided_by: str) -> Decoded | None:
    """Return what an earlier run decoded; None where a bit of it has changed, or it is another training part's."""
    try:
        noted = json.loads(path.with_suffix(".json").read_bytes())
        known, size = noted["known"], path.stat().st_size
    except (OSError, ValueError, TypeError, KeyError):
        return None
    is_whole = noted.get("seal") == _seal(known)
    # The span of deep pictures belongs to one training part.
    if not is_whole or known["train"] not in (None, decided_by):
        return None
    if size != int(np.prod(known["shape"])) * np.dtype(form.dtype).itemsize:
        return None
    inputs = _map(path, known["shape"], form)
    if fingerprint(inputs, targets) != known["fingerprint"]:
        return None
    span = None if known["span"] is None else tuple(known["span"])
    return Decoded(inputs, known["fingerprint"], replace(form, span=span), known["notes"])


def _seal(known: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


def _write(path: Path, root: Path, files: Sequence[str], form: Format, targets: Tensor, rows: Sequence[int]) -> None:
    shape = (len(files), *_extent(root, files, form), form.num_channels)
    path.parent.mkdir(parents=True, exist_ok=True)
    _require_disk(path.parent, int(np.prod(shape)) * np.dtype(form.dtype).itemsize)
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        images = np.memmap(draft, form.dtype, "w+", shape=shape)
        form, notes = _fill(images, root, files, form, rows)
        images.flush()
        known = {
            "shape": shape,
            "fingerprint": fingerprint(torch.from_numpy(images), targets),
            "span": form.span,
            "notes": notes,
            "train": None if form.span is None else _digest(rows),
        }
        del images
        os.replace(draft, path)
    except OSError as error:
        raise DataError(f"{path.parent}: writing decoded images failed: {error.strerror}; set data.cache") from None
    finally:
        draft.unlink(missing_ok=True)
    note = path.with_name(f"{path.name}.{os.getpid()}.json.tmp")
    note.write_text(json.dumps({"known": known, "seal": _seal(known)}))
    os.replace(note, path.with_suffix(".json"))


def _map(path: Path, shape: list[int], form: Format) -> Tensor:
    dtype = torch.uint8 if form.depth is None else torch.float32
    return torch.from_file(str(path), shared=False, size=int(np.prod(shape)), dtype=dtype).view(shape)


def _fill(
    images: np.ndarray, root: Path, files: Sequence[str], form: Format, rows: Sequence[int]
) -> tuple[Format, list[str]]:
    """Decode every file into its row; deep ones once their span is known. Collect all that fail before saying so."""
    deep = _decode_into(images, root, files, form, range(len(files)))
    notes = say_flat(root, files)
    if deep:
        decisive = [deep[row] for row in rows if row in deep] or list(deep.values())
        span = (min(low for low, _ in decisive), max(high for _, high in decisive))
        form = replace(form, span=span)
        _decode_into(images, root, files, form, sorted(deep))
        notes.append(
            f"{noun(len(deep), 'picture')} of more than 8 bits: the training part's values {span[0]:g} "
            f"to {span[1]:g} became "
            "0 to 255; data.depth=12 (or another number of bits) takes them as they are, in full precision"
        )
    return form, notes


def _decode_into(
    images: np.ndarray, root: Path, files: Sequence[str], form: Format, rows: Sequence[int]
) -> dict[int, tuple[float, float]]:
    """Decode some files into their rows; return the least and largest value of deep ones that were left."""
    bad: dict[int, str] = {}
    deep: dict[int, tuple[float, float]] = {}

    def decode_row(i: int) -> None:
        try:
            picture = decode(root / files[i], form)
        except DeepError as error:
            deep[i] = (error.low, error.high)
            return
        except DataError as error:
            bad[i] = str(error)
            return
        if picture.shape != images.shape[1:]:
            height, width, _ = images.shape[1:]
            cure = "" if root == HERE else "; set data.size"
            bad[i] = f"{picture.shape[1]} x {picture.shape[0]} among {width} x {height}{cure}"
        else:
            images[i] = picture

    _in_threads(decode_row, rows)
    if bad:
        _refuse(root, files, bad)
    return deep


def find_broken(root: Path, files: Sequence[str], form: Format) -> dict[int, str]:
    """Return why files cannot be decoded, by their number; every file is decoded for it."""
    bad: dict[int, str] = {}

    def try_row(i: int) -> None:
        try:
            decode(root / files[i], form)
        except DeepError:
            return
        except DataError as error:
            bad[i] = str(error)

    _in_threads(try_row, range(len(files)))
    return dict(sorted(bad.items()))


def _in_threads(act: Any, rows: Sequence[int]) -> None:
    with warnings.catch_warnings():
        # Filters belong to the process: set around the threads, not in them.
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with ThreadPoolExecutor(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None) as pool:
            list(pool.map(act, rows))


def name_all(files: Sequence[str], bad: dict[int, str]) -> str:
    """Return the first ten files that cannot be used, with the reason of each."""
    shown = ", ".join(f"{files[i]} ({bad[i]})" for i in sorted(bad)[:_TEN])
    return shown + (f" and {len(bad) - _TEN} more" if len(bad) > _TEN else "")


def _refuse(root: Path, files: Sequence[str], bad: dict[int, str]) -> None:
    where, cure = ("inputs", "leave them out") if root == HERE else (root, "remove them, or set data.broken=skip")
    raise DataError(
        f"{where}: {len(bad)} of {noun(len(files), 'image')} cannot be used: {name_all(files, bad)}; mend or {cure}"
    )


def _extent(root: Path, files: Sequence[str], form: Format) -> tuple[int, int]:
    """Return height and width of every picture: the size asked for, or that of the first readable file."""
    if form.size is not None:
        return form.size, form.size
    for file in files:
        try:
            height, width, _ = decode(root / file, replace(form, span=form.span or (0, 1))).shape
        except DataError:
            continue
        return height, width
    _refuse(root, files, {i: "cannot be decoded" for i in range(len(files))})
    raise AssertionError


def _key(root: Path, files: Sequence[str], form: Format, targets: Tensor) -> str:
    digest = hashlib.sha256(f"{_MADE} {root.absolute()} {form}".encode())
    digest.update(targets.numpy().tobytes())
    for file in files:
        state = (root / file).stat()
        # The time of change cannot be set: a file that was exchanged has another, whatever its time of writing says.
        digest.update(f"{file} {state.st_size} {state.st_mtime_ns} {state.st_ctime_ns};".encode())
    return digest.hexdigest()[:32]


def _digest(rows: Sequence[int]) -> str:
    return hashlib.sha256(np.asarray(rows, dtype=np.int64).tobytes()).hexdigest()[:32]


def _require_disk(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if size > free:
        raise DataError(
            f"{folder.absolute()}: decoded images need {size / 1e9:.1f} GB, {free / 1e9:.1f} GB are free; "
            "set data.cache to another folder, or a smaller data.size"
        )
