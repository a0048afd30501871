"""A user's own pictures by writer: two genuine ones are the same, a genuine and a forged one are different."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from dlexp.data.dataset import Dataset
from dlexp.data.pair.draw import draw_distinct
from dlexp.data.pair.pictures import ListedPairs, PairPictures
from dlexp.data.picture.listing import list_folders, list_pictures, say
from dlexp.error import DataError, first_ten
from dlexp.random import generator
from dlexp.type import Count, Place

KINDS = ("genuine", "forged")


@dataclass(frozen=True)
class PairFolder(PairPictures):
    """Pictures by writer: path/WRITER/genuine/* and path/WRITER/forged/*, for signatures and the like.

    Two genuine pictures of a writer are the same, a genuine and a forged one of a writer are different; each writer has
    as many of one as of the other, drawn by `split_seed`. The division is by writer.

    Args:
        path: The folder.
        per_writer: Most pairs of each kind that a writer has; null takes all.
    """

    path: Place = "???"
    per_writer: Count | None = None

    def load(self, task: str = "auto") -> Dataset:
        """Return the pairs of all writers, the pictures as (N, size, size, C) bytes (floats with `depth`).

        Raises:
            ConfigError: Another task than pairs.
            DataError: Names the folder, the writers or the first ten files at fault.
        """
        root = Path(self.path)
        if not root.is_dir():
            raise DataError(f"{root}: no such folder; data.path names a folder with one for each writer")
        left_out: Counter = Counter()
        files: list[str] = []
        pairs, are_same, bad = [], [], []
        for number, writer in enumerate(list_folders(root, left_out)):
            start, sizes = len(files), []
            for kind in KINDS:
                listing = list_pictures(writer / kind) if (writer / kind).is_dir() else None
                pictures = [] if listing is None else listing.files
                left_out.update({} if listing is None else listing.left_out)
                files += [file.relative_to(root).as_posix() for file in pictures]
                sizes.append(len(pictures))
            if sizes[0] < 2 or not sizes[1]:
                bad.append(f"{writer.name} ({sizes[0]} genuine, {sizes[1]} forged)")
                continue
            same_M2, different_M2 = self._of_writer(sizes[0], sizes[1], generator(self.split_seed, "pairs", number))
            pairs += [start + same_M2, start + different_M2]
            are_same += [np.ones(len(same_M2)), np.zeros(len(different_M2))]
        if bad:
            raise DataError(
                f"{root}: got {first_ten('writer', bad)}; each needs two pictures in genuine/ and one in forged/"
            )
        if not pairs:
            raise DataError(
                f"{root}: no folders of writers in it; pictures belong into {root}/WRITER/genuine/ and forged/"
            )
        listed = ListedPairs(files, np.concatenate(pairs), np.concatenate(are_same), say(left_out))
        return self.assemble(root, root, listed, task)

    def _of_writer(self, num_genuine: int, num_forged: int, draw: torch.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return the genuine pairs (M, 2) and as many mixed ones, as places among a writer's files."""
        genuine_M2 = torch.combinations(torch.arange(num_genuine))
        mixed_M2 = torch.cartesian_prod(torch.arange(num_genuine), num_genuine + torch.arange(num_forged))
        num = min(len(genuine_M2), len(mixed_M2), self.per_writer or len(mixed_M2))
        chosen = [each[draw_distinct(len(each), num, draw).sort().values].numpy() for each in (genuine_M2, mixed_M2)]
        return chosen[0], chosen[1]
