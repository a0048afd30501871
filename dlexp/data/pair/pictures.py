"""Pictures that the user's own data put in pairs: whole groups of pairs that share pictures stand in one part.

Shapes: N pictures, M pairs.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch
from annotated_types import Interval

from dlexp.data.dataset import Dataset
from dlexp.data.folder import Decoder
from dlexp.data.pair.draw import CLASS_NAMES
from dlexp.data.picture.form import Format
from dlexp.data.split import Split
from dlexp.error import ConfigError, DataError
from dlexp.number import noun
from dlexp.type import Count, Place


@dataclass(frozen=True)
class ListedPairs:
    """Pairs of files.

    Attributes:
        files: Paths of all pictures.
        pairs_M2: Numbers of files.
        is_same_M: Whether a pair is the same.
        notes: What the user should know.
    """

    files: list[str]
    pairs_M2: np.ndarray
    is_same_M: np.ndarray
    notes: list[str]


@dataclass(frozen=True)
class PairPictures(Split):
    """How pictures in pairs are read and divided.

    Args:
        size: Height and width in pixels; null keeps the files', which must then be equal.
        fit: How a picture comes to `size`: crop (the middle), stretch, or pad (black borders).
        color: rgb or grey.
        depth: Bits that the values of 16- or 32-bit pictures use, for example 12; null scales the range used over the
            training part to 8 bits.
        memory: Size such as 4GiB that decoded images may take in memory where they are not mapped from `cache`; null =
            0.8 of what is free.
        cache: Folder for the decoded images, from which this and later runs map them; null decodes into memory at
            every start.
    """

    size: Count | None = 128
    fit: Literal["crop", "stretch", "pad"] = "crop"
    color: Literal["rgb", "grey"] = "grey"
    depth: Annotated[int, Interval(ge=1, le=32)] | None = None
    memory: str | None = None
    cache: Place | None = "data/cache"

    def assemble(self, path: Path, root: Path, listed: ListedPairs, task: str) -> Dataset:
        """Return the data set of pairs of files.

        Args:
            path: What the user named, whose name the data have.
            root: Folder that the files are in.
            listed: The pairs.
            task: As asked for.

        Raises:
            ConfigError: Another task was asked for.
            DataError: Damaged files, or too few groups of pairs to divide.
        """
        if task not in ("auto", "pairs"):
            raise ConfigError(f"task: got {task}; the data are pairs: choose pairs, or auto")
        files, pairs_M2 = listed.files, listed.pairs_M2.astype(np.int64)
        pairs, targets = torch.from_numpy(pairs_M2), torch.from_numpy(listed.is_same_M.astype(np.int64))
        groups = torch.from_numpy(components(len(files), pairs_M2)[pairs_M2[:, 0]])
        self._require_groups(path, int(groups.max()) + 1)
        train, val, test = self.divide(targets, groups=groups, class_names=CLASS_NAMES)
        form = Format(self.size, self.fit, self.color, self.depth)
        decoder = Decoder(root, files, form, torch.zeros(len(files)), self.cache, "refuse", self.memory)
        try:
            decoded = decoder.decode(pairs[train].unique())
        except DataError as error:  # a pair has no half
            raise DataError(str(error).replace(", or set data.broken=skip", " with their pairs")) from None
        return Dataset(
            path.absolute().stem,
            "pairs",
            decoded.inputs,
            targets,
            train,
            val,
            test,
            class_names=CLASS_NAMES,
            ids=files,
            groups=groups,
            encoding=decoder.encoding(decoded),
            encode=None if decoded.form.span is None else decoder,
            notes=[*listed.notes, *decoded.notes],
            pairs=pairs,
        )

    def _require_groups(self, path: Path, num_groups: int) -> None:
        needed = 2 + (self.test_fraction > 0 if self.test_count is None else self.test_count > 0)
        if num_groups < needed:
            raise DataError(
                f"{path}: got pairs that hang together in {noun(num_groups, 'group')} through shared pictures; "
                f"{needed} are needed, one for each part: leave out pairs that link them, or set data.test_fraction=0"
            )


def components(num: int, pairs_M2: np.ndarray) -> np.ndarray:
    """Return the number (N,) of the group of each picture: two are in one where pairs lead from one to the other.

    Groups are numbered in the order of their first picture. Every round takes over the least number of all neighbours
    and then of what that number points to, so that chains shorten by half.
    """
    group_N = np.arange(num)
    while True:
        least_M = group_N[pairs_M2].min(1)
        before_N = group_N.copy()
        for side in (0, 1):
            np.minimum.at(group_N, before_N[pairs_M2[:, side]], least_M)
        group_N = group_N[group_N]
        if (group_N == before_N).all():
            return np.unique(group_N, return_inverse=True)[1].reshape(-1)
