"""What a model of pairs is asked about: two files, row by row, or the rows of a table of two paths."""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from dlexp.data.file.column import read_columns
from dlexp.data.file.dialect import Dialect
from dlexp.data.file.source import is_table
from dlexp.data.pair.listed import file_names
from dlexp.error import ConfigError, DataError
from dlexp.job.inference.document import Prediction
from dlexp.job.inference.finite import Batch, of_files
from dlexp.number import noun
from dlexp.type import Config

Read = Callable[[list[Path], Config, list[str]], list[Batch]]
COLUMNS = ["first", "second"]


def read_examples(read: Read, paths: list[Path], about: Config, warnings: list[str]) -> list[Batch]:
    """Return what files hold, for a model of pairs as pairs, the inputs of each in turn.

    Args:
        read: What reads examples.
        paths: Files and folders; of pairs two with as many examples, or one table of two columns of paths.
        about: Of the model.
        warnings: Get what the user should know.

    Raises:
        ConfigError: Neither two files nor a table of paths.
        DataError: Damaged or absent files, or two of unlike length.
    """
    if about["task"] != "pairs":
        return read(paths, about, warnings)
    is_picture = len(about["in_shape"]) == 3
    if len(paths) == 1 and is_picture and is_table(paths[0]):
        sides = _of_table(paths[0])
    elif len(paths) == 2:
        sides = [[path] for path in paths]
    else:
        also = ", or a .csv of two columns of paths" if is_picture else ""
        raise ConfigError(f"inputs: got {noun(len(paths), 'path')}; the model compares two: give two files{also}")
    first, second = (_joined(read(side, about, warnings)) for side in sides)
    if len(first[0]) != len(second[0]):
        raise DataError(
            f"inputs: got {noun(len(first[0]), 'example')} and {len(second[0])}; they are compared one by one, as many "
            "of each are needed"
        )
    names = [f"{a} | {b}" for a, b in zip(first[0], second[0], strict=True)]
    return [Batch(names, torch.stack([first[1], second[1]], 1).flatten(0, 1), of_files(names))]


def say_pairs(ids: list[str], outputs_N2: Tensor, names: list[str]) -> list[Prediction]:
    """Return what is said of each pair.

    Args:
        ids: Of the pairs.
        outputs_N2: Threshold and similarity.
        names: Of the classes different and same.
    """
    return [
        {"id": id, "class": names[similarity > threshold], "similarity": similarity, "threshold": threshold}
        for id, (threshold, similarity) in zip(ids, outputs_N2.tolist(), strict=True)
    ]


def _of_table(path: Path) -> list[list[Path]]:
    """Return the files of both columns, those of the first two where no column has the names of training."""
    if not path.exists():
        raise DataError(f"{path}: no such file or folder")
    chosen: list[str] = []

    def choose(names: list[str]) -> dict[str, bool]:
        chosen.extend(COLUMNS if set(COLUMNS) <= set(names) else names[:2])
        if len(chosen) < 2:
            raise DataError(f"{path}: got the column {names[0]} alone; two columns of paths are needed")
        return dict.fromkeys(chosen, True)

    table = read_columns(path, Dialect(gaps=("",)), choose)
    return [[path.parent / name for name in file_names(table, column, path.parent)] for column in chosen[:2]]


def _joined(batches: list[Batch]) -> tuple[list[str], Tensor]:
    return [id for batch in batches for id in batch.ids], torch.cat([batch.inputs for batch in batches])
