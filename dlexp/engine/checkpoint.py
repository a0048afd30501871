"""Checkpoints that survive kill -9: complete under a new name, renamed into place, verified when read.

A checkpoint is a folder: `weights.safetensors`, `state.pt` (tensors and plain types, read with ``weights_only=True``)
and `manifest.json` with size and SHA-256 of both, because 199 of 200 single flipped bits load without complaint.
Beside `last` there are `last.old`, the checkpoint before, from which a run whose `last` is damaged goes on, and, after
a kill, `last.new` (being written or complete): whenever `last` is absent, one of the two is complete. So a run that
trains has the room of one more checkpoint, which it gives back at its end, or when the disk is full. Reading never
changes anything, so a run can be read while it trains; the next `save` tidies up.
"""

import errno
import hashlib
import io
import json
import logging
import os
import pickle
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from torch import Tensor

from dlexp.disk import safetensors
from dlexp.disk.durable import disk_faults, flush_folder
from dlexp.disk.regular import read_bytes, remove_tree
from dlexp.error import DiskFault, RunError, is_out_of_memory

WEIGHTS, STATE, MANIFEST = "weights.safetensors", "state.pt", "manifest.json"
_UNNAMED = "manifest"  # of a checkpoint that is being written
_RETRIES = 3
_log = logging.getLogger(__name__)


def save(
    directory: Path,
    weights: dict[str, Tensor],
    state: dict[str, Any],
    *,
    same_weights: Path | None = None,
    history: str | None = None,
    keeps_previous: bool = False,
    is_synced: bool = True,
) -> None:
    """Write a checkpoint; until it is complete the one before stays.

    Args:
        directory: The checkpoint's folder, such as ``checkpoints/last``.
        weights: Parameters and buffers by name.
        state: Whatever else a resumed run needs: tensors, numbers, strings, lists and dicts of them. `state["epoch"]`,
            the number of completed epochs, is repeated in the manifest.
        same_weights: Another checkpoint, just saved with these very weights: its file gets a second name, where the
            disk has hard links, instead of being written again.
        history: Hash of the history up to this checkpoint, repeated in the manifest; see `dlexp.run.history.digest`.
        keeps_previous: Leave the checkpoint before beside this one, for `load` to use when this one is damaged.
        is_synced: False does not wait for the disk: proof against kills; what a power cut damages is not loaded.

    Raises:
        EnvironmentFault: The disk is full; the checkpoint before is intact.
    """
    fresh, old = _begin(directory), _beside(directory, "old")

    def write() -> None:
        with disk_faults(directory, size(weights) + size(state)), _removed_on_failure(fresh):
            fresh.mkdir(parents=True, exist_ok=True)
            linked = None if same_weights is None else _link_weights(same_weights, fresh)
            files = {
                WEIGHTS: linked or _write_weights(fresh / WEIGHTS, weights, is_synced=is_synced),
                STATE: _write_archive(fresh / STATE, state, is_synced=is_synced),
            }
            manifest = {"epoch": state.get("epoch"), "files": files} | ({} if history is None else {"history": history})
            _write(fresh / _UNNAMED, json.dumps(manifest).encode(), is_synced=is_synced)
            os.rename(fresh / _UNNAMED, fresh / MANIFEST)  # there only when it is whole, and all else before it

    try:
        write()
    except DiskFault as fault:
        if fault.errno != errno.ENOSPC or not (old.exists() and directory.exists()):
            raise
        remove_tree(old)
        write()
    _publish(directory, keeps_previous=keeps_previous, is_synced=is_synced)


def size(tree: Any) -> int:
    """Return the bytes of all tensors in dicts of dicts: what a checkpoint of them takes, but for some kilobytes."""
    if isinstance(tree, Tensor):
        return tree.numel() * tree.element_size()
    return sum(size(child) for child in tree.values()) if isinstance(tree, dict) else 0


def load(directory: Path, device: torch.device | str = "cpu") -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return weights and state of the first that verifies: the checkpoint, its unpublished successor, its predecessor.

    Args:
        directory: The checkpoint's folder.
        device: Where the tensors of weights and state go.

    Raises:
        RunError: There is no checkpoint, or every copy is damaged.
    """
    fault = RunError(f"{directory}: no checkpoint; the run ended before its first one")
    for attempt in range(_RETRIES):
        for folder in _candidates(directory):
            try:
                contents = _read_verified(folder)
            except RunError as error:
                fault = error if folder == directory or "no checkpoint" in str(fault) else fault
                continue
            if folder != directory and directory.exists():
                _log.warning("%s; %s is used instead", str(fault).partition(";")[0], folder.name)
            return _parse(contents, device)
        if attempt < _RETRIES - 1:
            time.sleep(0.02)
    raise fault


def exists(directory: Path) -> bool:
    """Say whether there is anything for `load` to read."""
    return any((folder / MANIFEST).exists() for folder in _candidates(directory))


def epoch(directory: Path) -> int | None:
    """Return how many epochs a checkpoint holds by its manifest; None when it is not there in its full size."""
    try:
        manifest = json.loads(read_bytes(directory / MANIFEST))
        sizes = {name: manifest["files"][name]["size"] for name in (WEIGHTS, STATE)}
        is_whole = all((directory / name).stat().st_size == size for name, size in sizes.items())
        return int(manifest["epoch"]) if is_whole else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def drop_previous(directory: Path) -> None:
    """Delete the checkpoint before a complete one, after what a kill left beside it is in its place or gone."""
    _begin(directory)
    if directory.exists():
        remove_tree(_beside(directory, "old"))


def remove(directory: Path) -> None:
    """Delete a checkpoint, after what a kill left beside it."""
    for folder in reversed(_candidates(directory)):
        remove_tree(folder)


def _candidates(directory: Path) -> list[Path]:
    return [directory, _beside(directory, "new"), _beside(directory, "old")]


def _beside(directory: Path, suffix: str) -> Path:
    return directory.with_name(f"{directory.name}.{suffix}")


def _begin(directory: Path) -> Path:
    """Restore `directory` from what a killed process left, and return its successor, which is not there yet."""
    fresh, old = _beside(directory, "new"), _beside(directory, "old")
    if not directory.exists():
        complete = next((folder for folder in (fresh, old) if _is_complete(folder)), None)
        if complete is not None:
            os.rename(complete, directory)
    remove_tree(fresh)
    return fresh


@contextmanager
def _removed_on_failure(folder: Path) -> Iterator[None]:
    """Give back the room of a checkpoint that could not be finished."""
    try:
        yield
    except Exception:
        remove_tree(folder)
        raise


def _publish(directory: Path, *, keeps_previous: bool, is_synced: bool) -> None:
    fresh, old = _beside(directory, "new"), _beside(directory, "old")
    with disk_faults(directory):
        if is_synced:
            flush_folder(fresh)
        remove_tree(old)
        had_one = directory.exists()
        if had_one:
            os.rename(directory, old)
        os.rename(fresh, directory)
        if is_synced:
            flush_folder(directory.parent)
    if had_one and not keeps_previous:
        remove_tree(old)


def _link_weights(source: Path, fresh: Path) -> dict[str, Any] | None:
    try:
        os.link(source / WEIGHTS, fresh / WEIGHTS)
    except OSError:  # a disk without hard links
        return None
    return json.loads(read_bytes(source / MANIFEST))["files"][WEIGHTS]


def _write_weights(path: Path, weights: dict[str, Tensor], *, is_synced: bool) -> dict[str, Any]:
    on_cpu = {name: tensor.detach().to("cpu").contiguous() for name, tensor in weights.items()}
    return _stream(path, lambda file: safetensors.write(cast(BinaryIO, file), on_cpu), is_synced=is_synced)


def _write_archive(path: Path, state: dict[str, Any], *, is_synced: bool) -> dict[str, Any]:
    return _stream(path, lambda file: torch.save(state, cast(BinaryIO, file)), is_synced=is_synced)


def _write(path: Path, content: bytes, *, is_synced: bool) -> dict[str, Any]:
    return _stream(path, lambda file: file.write(content), is_synced=is_synced)


def _stream(path: Path, write: Callable[["_Hashing"], Any], *, is_synced: bool) -> dict[str, Any]:
    """Write a file through the hash: no second copy of weights or optimiser state in memory."""
    with open(path, "wb") as file:
        hashing = _Hashing(file)
        try:
            write(hashing)
        except RuntimeError as error:  # torch's words for whatever the disk said
            raise hashing.fault or error from error
        if is_synced:
            file.flush()
            os.fsync(file.fileno())
    return {"size": hashing.size, "sha256": hashing.digest.hexdigest()}


class _Hashing(io.RawIOBase):
    """A file that can only be written in order, and knows the size and SHA-256 of what went through."""

    def __init__(self, file: io.BufferedWriter) -> None:
        self.file, self.size, self.digest = file, 0, hashlib.sha256()
        self.fault: OSError | None = None

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.digest.update(data)
        self.size += len(data)
        try:
            return self.file.write(data)
        except OSError as error:
            self.fault = error
            raise


def _is_complete(folder: Path) -> bool:
    try:
        _read_verified(folder)
    except RunError:
        return False
    return True


def _read_verified(folder: Path) -> dict[str, bytes]:
    """Read both files into memory and check them there, so that what was checked is what is used."""
    contents: dict[str, bytes] = {}
    try:
        files = json.loads(read_bytes(folder / MANIFEST))["files"]
        expected = {name: (files[name]["size"], files[name]["sha256"]) for name in (WEIGHTS, STATE)}
    except FileNotFoundError as error:
        raise RunError(f"{folder}: no checkpoint; the run ended before its first one") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(folder / MANIFEST) from error
    for name, (size, digest) in expected.items():
        try:
            contents[name] = read_bytes(folder / name)
        except OSError as error:
            raise _damaged(folder / name) from error
        if len(contents[name]) != size or hashlib.sha256(contents[name]).hexdigest() != digest:
            raise _damaged(folder / name)
    return contents


def _damaged(path: Path) -> RunError:
    return RunError(f"{path}: damaged (not the recorded SHA-256); restore it from a copy or train the run anew")


def _parse(contents: dict[str, bytes], device: torch.device | str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    try:
        weights = {name: tensor.to(device) for name, tensor in load_safetensors(contents[WEIGHTS]).items()}
    except SafetensorError as error:
        raise RunError(f"{WEIGHTS}: not a safetensors file; train the run anew") from error
    try:
        return weights, torch.load(io.BytesIO(contents[STATE]), map_location=device, weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        if is_out_of_memory(error):
            raise
        raise RunError(
            f"{STATE}: not the plain numbers that dlexp writes; it is not read, train the run anew"
        ) from error
