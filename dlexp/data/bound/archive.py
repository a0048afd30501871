"""An .npz file, of which no more is read than memory holds; a small one of large arrays is said.

An array of zeros takes a thousandth of its size on the disk.
"""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from dlexp.data.file.guard import require_memory, require_regular
from dlexp.data.file.native import native
from dlexp.data.file.npy import MAGIC, damaged, read_npy
from dlexp.error import DataError, did_you_mean, first_ten, shorten

CLASS_NAMES = "class_names"  # of the array that names classes
_LARGE, _OFTEN = 10**9, 20  # bytes of arrays, and times their size on the disk, from which on both are said


class Content:
    """The arrays of a file, each read when asked for.

    Args:
        path: The file, as messages name it.
        file: It, opened.
    """

    def __init__(self, path: str, file: zipfile.ZipFile):
        self._path, self._file = path, file
        self.keys = [name.removesuffix(".npy") for name in file.namelist()]

    def require_memory(self, keys: set[str]) -> list[str]:
        """Refuse arrays that would fill the memory, before the first is read: each is there twice for a while.

        Args:
            keys: Their names; those that the file does not have take nothing.

        Returns:
            A line about a small file of large arrays; none for others.
        """
        members = [member for key, member in zip(self.keys, self._file.infolist(), strict=True) if key in keys]
        size, packed = sum(member.file_size for member in members), sum(member.compress_size for member in members)
        require_memory(2 * size, f"{self._path}: its arrays, and a copy", "give fewer examples, or a smaller type")
        is_said = size >= _LARGE and size >= _OFTEN * packed
        return (
            [f"{self._path}: unpacks to {size / 1e9:,.1f} GB, {size / packed:,.0f} times its size"] if is_said else []
        )

    def get(self, key: str) -> np.ndarray:
        """Return an array.

        Raises:
            DataError: There is none of that name, or it is damaged.
        """
        if key not in self.keys:
            raise DataError(
                f"{self._path}: no array {key}; it has {', '.join(self.keys)}{did_you_mean(key, self.keys)}"
            )
        where, member = f"{self._path}, {key}", self._file.infolist()[self.keys.index(key)]
        try:
            stream = self._file.open(member)
        except Exception as error:  # encrypted, of an unknown compression, ...
            raise damaged(where, error) from None
        with stream:
            return read_npy(stream, member.file_size, where)

    def class_names(self) -> list[str] | None:
        """Return the names of the classes 0 to K - 1; None where the file has none.

        Raises:
            DataError: They are no list of different names.
        """
        if CLASS_NAMES not in self.keys:
            return None
        where = f"{self._path}, {CLASS_NAMES}"
        names = native(self.get(CLASS_NAMES), where)
        if names.ndim != 1 or len(np.unique(names)) != len(names):
            raise DataError(f"{where}: got {shorten(str(names.tolist()))}; a list of different names is needed")
        return [str(name) for name in names.tolist()]


@contextmanager
def open_archive(path: Path) -> Iterator[Content]:
    """Yield the arrays of a file, which is closed afterwards.

    Raises:
        DataError: There is no such file, it is another kind, or two arrays have a name.
    """
    if not path.exists():
        raise DataError(f"{path}: no such file; data.path names an .npz file")
    require_regular(path)
    with path.open("rb") as file:
        if file.read(len(MAGIC)) == MAGIC:
            raise DataError(
                f"{path}: a single array; an .npz file with x and y is needed: np.savez(path, x=..., y=...)"
            )
        file.seek(0)
        try:
            archive = zipfile.ZipFile(file)
        except (ValueError, OSError, EOFError, NotImplementedError, zipfile.BadZipFile) as error:
            reason = " ".join(str(error).split())
            raise DataError(f"{path}: not an .npz file ({reason}); write it with np.savez") from None
        with archive:
            content = Content(str(path), archive)
            repeated = sorted({key for key in content.keys if content.keys.count(key) > 1})
            if repeated:
                raise DataError(f"{path}: {first_ten('array', repeated)} more than once; names must differ")
            yield content
