"""Many image files as one tensor of bytes, decoded by threads, in memory or in a file that is mapped.

A mapped file serves two ends: a later run starts at once, and a set that exceeds the memory is paged in as it is read.
"""

import hashlib
import json
import os
import shutil
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import torch
from PIL import Image
from torch import Tensor

from dlexp.data.dataset import fingerprint
from dlexp.data.file.picture import Format, decode
from dlexp.error import DataError

_TEN = 10


def decode_all(
    root: Path, files: Sequence[str], form: Format, targets: Tensor, cache: str | None
) -> tuple[Tensor, str]:
    """Decode files, or map what an earlier run decoded.

    Args:
        root: Folder that the files are in.
        files: Paths relative to it.
        form: How each picture is brought to its form.
        targets: Belong to the fingerprint.
        cache: Folder for the decoded images; None keeps them in memory only.

    Returns:
        (N, H, W, C) bytes and the data set's fingerprint.

    Raises:
        DataError: Files cannot be decoded, differ in size, or do not fit.
    """
    if cache is None:
        height, width = _extent(root, files, form)
        _require_memory(len(files) * height * width * form.num_channels)
        images = np.empty((len(files), height, width, form.num_channels), np.uint8)
        _fill(images, root, files, form)
        inputs = torch.from_numpy(images)
        return inputs, fingerprint(inputs, targets)
    path = Path(cache) / f"{_key(root, files, form, targets)}.bin"
    if not path.with_suffix(".json").is_file():
        _write(path, root, files, form, targets)
    known = json.loads(path.with_suffix(".json").read_text())
    return _map(path, known["shape"]), known["fingerprint"]


def _write(path: Path, root: Path, files: Sequence[str], form: Format, targets: Tensor) -> None:
    shape = (len(files), *_extent(root, files, form), form.num_channels)
    path.parent.mkdir(parents=True, exist_ok=True)
    _require_disk(path.parent, int(np.prod(shape)))
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        images = np.memmap(draft, np.uint8, "w+", shape=shape)
        _fill(images, root, files, form)
        images.flush()
        found = {"shape": shape, "fingerprint": fingerprint(torch.from_numpy(images), targets)}
        del images
        os.replace(draft, path)
    except OSError as error:
        raise DataError(f"{path.parent}: writing decoded images failed: {error.strerror}; set data.cache") from None
    finally:
        draft.unlink(missing_ok=True)
    note = path.with_name(f"{path.name}.{os.getpid()}.json.tmp")
    note.write_text(json.dumps(found))
    os.replace(note, path.with_suffix(".json"))


def _map(path: Path, shape: list[int]) -> Tensor:
    size = int(np.prod(shape))
    if not path.is_file() or path.stat().st_size != size:
        raise DataError(f"{path}: the decoded images are damaged; delete this folder, it is written anew")
    return torch.from_file(str(path), shared=False, size=size, dtype=torch.uint8).view(shape)


def _fill(images: np.ndarray, root: Path, files: Sequence[str], form: Format) -> None:
    """Decode every file into its row; collect all that fail before saying so."""
    bad: dict[int, str] = {}

    def one(i: int) -> None:
        try:
            picture = decode(root / files[i], form)
        except DataError as error:
            bad[i] = str(error)
            return
        if picture.shape != images.shape[1:]:
            height, width, _ = images.shape[1:]
            bad[i] = f"{picture.shape[1]} x {picture.shape[0]} among {width} x {height}; set data.size"
        else:
            images[i] = picture

    with warnings.catch_warnings():
        # Filters belong to the process: set around the threads, not in them.
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with ThreadPoolExecutor(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None) as pool:
            list(pool.map(one, range(len(files))))
    if bad:
        _refuse(root, files, bad)


def _refuse(root: Path, files: Sequence[str], bad: dict[int, str]) -> None:
    shown = ", ".join(f"{files[i]} ({bad[i]})" for i in sorted(bad)[:_TEN])
    more = f" and {len(bad) - _TEN} more" if len(bad) > _TEN else ""
    raise DataError(f"{root}: {len(bad)} of {len(files)} images cannot be used: {shown}{more}; mend or remove them")


def _extent(root: Path, files: Sequence[str], form: Format) -> tuple[int, int]:
    """Return height and width of every picture: the size asked for, or that of the first readable file."""
    if form.size is not None:
        return form.size, form.size
    for file in files:
        try:
            height, width, _ = decode(root / file, form).shape
        except DataError:
            continue
        return height, width
    _refuse(root, files, {i: "cannot be decoded" for i in range(len(files))})
    raise AssertionError


def _key(root: Path, files: Sequence[str], form: Format, targets: Tensor) -> str:
    digest = hashlib.sha256(f"{root.absolute()} {form}".encode())
    digest.update(targets.numpy().tobytes())
    for file in files:
        state = (root / file).stat()
        digest.update(f"{file} {state.st_size} {state.st_mtime_ns};".encode())
    return digest.hexdigest()[:32]


def _require_memory(size: int) -> None:
    free = psutil.virtual_memory().available
    if size > 0.8 * free:
        raise DataError(
            f"decoded images need {size / 1e9:.1f} GB, {free / 1e9:.1f} GB of memory are free; "
            "set data.cache to a folder, or a smaller data.size"
        )


def _require_disk(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if size > free:
        raise DataError(
            f"{folder.absolute()}: decoded images need {size / 1e9:.1f} GB, {free / 1e9:.1f} GB are free; "
            "set data.cache to another folder, or a smaller data.size"
        )
