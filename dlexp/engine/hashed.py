"""Files whose size and SHA-256 are known when they are written."""

import hashlib
import io
import os
from pathlib import Path
from typing import Any, BinaryIO, cast

import torch


def write(path: Path, content: bytes, *, is_synced: bool) -> dict[str, Any]:
    """Write bytes; return their `size` and `sha256`.

    Args:
        path: The file, which may be there.
        content: Of the file.
        is_synced: Whether to wait until it is on the disk.
    """
    with open(path, "wb") as file:
        file.write(content)
        if is_synced:
            _flush(file)
    return {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def write_archive(path: Path, tree: Any, *, is_synced: bool) -> dict[str, Any]:
    """Write tensors and plain types as torch's archive, streamed through the hash: there is no second copy in memory.

    Args:
        path: See `write`.
        tree: What `torch.load` with ``weights_only=True`` reads.
        is_synced: See `write`.

    Raises:
        OSError: What the disk said, which torch tells in words of its own.
    """
    with open(path, "wb") as file:
        hashing = Hashing(file)
        try:
            torch.save(tree, cast(BinaryIO, hashing))
        except RuntimeError as error:
            raise hashing.fault or error from error
        if is_synced:
            _flush(file)
    return {"size": hashing.size, "sha256": hashing.digest.hexdigest()}


class Hashing(io.RawIOBase):
    """A file that can only be written in order, and knows the size and SHA-256 of what went through.

    Attributes:
        fault: What the disk refused a write with; None when it did not.
    """

    def __init__(self, file: io.BufferedWriter) -> None:
        self.file, self.size, self.digest = file, 0, hashlib.sha256()
        self.fault: OSError | None = None

    def writable(self) -> bool:
        """Say yes."""
        return True

    def write(self, data: Any) -> int:
        """Pass bytes on to the file; return how many."""
        self.digest.update(data)
        self.size += len(data)
        try:
            return self.file.write(data)
        except OSError as error:
            self.fault = error
            raise


def _flush(file: io.BufferedWriter) -> None:
    file.flush()
    os.fsync(file.fileno())
