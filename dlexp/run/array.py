"""Files of arrays in a run's folder: written atomically, and read as what a stranger may have written or damaged."""

import hashlib
import io
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from dlexp.disk.durable import write_bytes
from dlexp.disk.regular import open_regular
from dlexp.error import RunError

_FAULTS = (  # of numpy and zipfile, for bytes that are not what they seem
    AttributeError,
    EOFError,
    KeyError,
    MemoryError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


def write_arrays(path: Path, arrays: dict[str, np.ndarray], *, is_synced: bool = True) -> str:
    """Write a .npz file atomically, and return its SHA-256."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # pyright: ignore[reportArgumentType]  # its stub takes a keyword for allow_pickle
    write_bytes(path, buffer.getvalue(), is_synced=is_synced)
    return hashlib.sha256(buffer.getbuffer()).hexdigest()


def read_arrays(
    path: Path, names: Iterable[str], cure: str, *, is_even: bool = False, digest: str | None = None
) -> dict[str, np.ndarray]:
    """Return arrays (N, ...) of a .npz file; no pickle is loaded.

    Args:
        path: The file.
        names: Arrays that it must have.
        cure: What the user can do where it is damaged, for the message.
        is_even: Whether all must have the same length N.
        digest: The SHA-256 that it must have; None for any.

    Raises:
        FileNotFoundError: There is no such file.
        RunError: It cannot be read.
    """
    try:
        with open_regular(path) as file:
            if digest not in (None, hashlib.file_digest(file, "sha256").hexdigest()):
                raise ValueError("not the recorded SHA-256")
            file.seek(0)
            with np.load(file, allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in names}
        if not all(isinstance(array, np.ndarray) for array in arrays.values()):
            raise ValueError("it holds no arrays")
        if is_even and len({len(array) for array in arrays.values()}) > 1:
            raise ValueError("its arrays differ in length")
    except FileNotFoundError:
        raise
    except _FAULTS as error:
        raise RunError(f"{path}: damaged ({_fault(error)}); {cure}") from error
    return arrays


def _fault(error: BaseException) -> str:
    """Return what is wrong in a few words of one line."""
    words = {EOFError: "it is empty or cut off", KeyError: f"it lacks {error}", AttributeError: "it is no .npz file"}
    if "pickle" in str(error):
        return "it is no .npz file of numbers"
    return words.get(type(error)) or " ".join(str(error).split())[:120] or type(error).__name__
