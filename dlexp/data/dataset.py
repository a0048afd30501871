"""A data set in memory: all examples in one tensor, the three parts as indices into it.

Where an example is a pair of inputs, `pairs` says which two: the parts are then indices into that.
Shapes: N examples, M pairs, H height, W width, C channels, D features.
"""

import hashlib
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from dlexp.data.joint.head import Head
from dlexp.error import DataError, first_ten
from dlexp.type import BETWEEN, RECONSTRUCT

_CHUNK_BYTES = 1 << 24
_SAMPLED_COLUMNS = 64
_CHUNK_ROWS = 1 << 16
_MIX = np.uint64(0x9E3779B97F4A7C15)  # odd: the golden ratio's digits


class Origin(Protocol):
    """What pairs were drawn from."""

    @property
    def examples(self) -> "Dataset":
        """The examples, with their parts."""
        ...

    @property
    def label(self) -> str:
        """What tells the pairs of a part from others that can be drawn from it."""
        ...

    def with_parts(self, train: Tensor, val: Tensor) -> "Dataset":
        """Return pairs drawn anew, from other parts of the examples."""
        ...

    def of_examples(self, examples: "Dataset") -> "Dataset":
        """Return pairs drawn anew, in the same way, from others in the place of the examples."""
        ...


@dataclass(frozen=True)
class Dataset:
    """Examples, targets and the split into training, validation and test part.

    Attributes:
        name: What the user calls it, for messages and records.
        task: "multiclass", "binary", "regression", "several", "reconstruct" or "pairs".
        inputs: (N, H, W, C) uint8 or float32 in [0, 1], or (N, D) float32 or float64.
        targets: (N,) int64 classes or float64 values; (N, J) of several, NaN in gaps; (M,) whether pairs are the same.
        train: int64 indices of the training part.
        val: int64 indices of the validation part.
        test: int64 indices of the test part; empty when there is none. Training never reads it.
        class_names: A name for each class; empty for regression.
        ids: A stable name for each example; None means its row number.
        fingerprint: SHA-256 over shapes, types and content of inputs and targets; computed when left empty.
        feature_names: A name for each input of a table; None for images.
        encoding: What predicting needs to read new files the same way, plain data; None where there is nothing to know.
        groups: (N,) int64 group of each example, whose members belong together; None where there are no groups.
        times: (N,) int64 place in the order of time, equal for equal moments; None where there is no time.
        notes: What the user should know of how the source was read, one line each.
        encode: Rows of a training part to the fields that are settled on it (`inputs`, `encoding`, ...); None where no
            input depends on the training part.
        labels: (N,) int64 classes of inputs that are what is learnt, whose shares folds may keep; None elsewhere.
        positive: The class that precision, recall and F1 of two classes are of; see `dlexp.data.fact.positive`.
        heads: What each of several targets is; empty for one.
        pairs: (M, 2) int64 rows of the inputs that each example is made of; None where an example is an input.
        origin: The examples that pairs were drawn from, and how; None where no pair was drawn.
    """

    name: str
    task: str
    inputs: Tensor
    targets: Tensor
    train: Tensor
    val: Tensor
    test: Tensor
    class_names: list[str] = field(default_factory=list)
    ids: list[str] | None = None
    fingerprint: str = ""
    feature_names: list[str] | None = None
    encoding: dict[str, Any] | None = None
    groups: Tensor | None = None
    times: Tensor | None = None
    notes: list[str] = field(default_factory=list)
    encode: Callable[[Tensor], dict[str, Any]] | None = None
    labels: Tensor | None = None
    positive: int = 1
    heads: Sequence[Head] = ()
    pairs: Tensor | None = None
    origin: Origin | None = None

    def __post_init__(self):
        assert len(self.inputs if self.pairs is None else self.pairs) == len(self.targets)
        assert self.inputs.dim() in (2, 4)
        if not self.fingerprint:
            made_of = [self.inputs, self.targets] + ([] if self.pairs is None else [self.pairs])
            object.__setattr__(self, "fingerprint", fingerprint(*made_of))

    @property
    def num_classes(self) -> int:
        """The number of classes, 0 for regression and several targets."""
        return len(self.class_names)

    @property
    def strata(self) -> Tensor | None:
        """The classes (N,) whose shares parts may keep, of several targets the first without gaps; None without any."""
        whole = [self.targets[:, j] for j, head in enumerate(self.heads) if head.num_classes and not head.has_gaps]
        return whole[0].long() if whole else self.targets if self.num_classes else self.labels

    @property
    def is_image(self) -> bool:
        """Whether an example has height and width."""
        return self.inputs.dim() == 4

    def of_inputs_alone(self) -> "Dataset":
        """Return the data with their inputs as what is to be learnt: targets are 0, classes no more than labels.

        Raises:
            DataError: One input alone.
        """
        if math.prod(self.in_shape) < 2:
            raise DataError(f"{self.name}: got one input; task={RECONSTRUCT} needs two or more to say more in fewer")
        zeros = torch.zeros(len(self.targets), dtype=torch.float64)
        return replace(self, task=RECONSTRUCT, targets=zeros, class_names=[], labels=self.strata, positive=1, heads=())

    @property
    def in_shape(self) -> tuple[int, ...]:
        """The shape of one example as a model sees it: (C, H, W) or (D,)."""
        if self.is_image:
            _, height, width, channels = self.inputs.shape
            return (channels, height, width)
        return (self.inputs.shape[1],)

    @property
    def dealt(self) -> "Dataset":
        """The examples that folds deal: of drawn pairs those that they were drawn from."""
        return self if self.origin is None else self.origin.examples

    @property
    def inputs_each(self) -> int:
        """How many inputs an example has."""
        return 1 if self.pairs is None else 2

    def input_rows(self, indices: Tensor) -> Tensor:
        """Return the rows of the inputs of some examples, in order; of pairs both in turn."""
        return indices if self.pairs is None else self.pairs[indices].flatten()

    def members(self, indices: Tensor) -> Tensor:
        """Return the rows of the inputs of some examples, each once."""
        return indices if self.pairs is None else self.input_rows(indices).unique()

    def pictures(self, indices: Tensor) -> Tensor:
        """Return the pictures (N, H, W, C) of some examples; of a pair both side by side, (N, H, 2 W, C)."""
        if self.pairs is None:
            return self.inputs[indices]
        return torch.cat(self.inputs[self.pairs[indices]].unbind(1), 2)

    def input_ids(self, indices: Tensor) -> list[str]:
        """Return the stable names of the inputs of some rows."""
        rows = indices.tolist()
        return [str(row) for row in rows] if self.ids is None else [self.ids[row] for row in rows]

    def sample_ids(self, indices: Tensor) -> list[str]:
        """Return the stable names of some examples; of a pair those of both, with a bar between them."""
        names = self.input_ids(self.input_rows(indices))
        return names if self.pairs is None else [a + BETWEEN + b for a, b in zip(names[::2], names[1::2], strict=True)]

    @cached_property
    def validated_on(self) -> str:
        """What is equal where a validation part has the same examples."""
        return self.digest([self.val])

    def digest(self, parts: Iterable[Tensor]) -> str:
        """Return what is equal for equal examples, by their names and targets, whatever inputs are read of them.

        Args:
            parts: Rows each; their order counts, that of the rows does not.

        Returns:
            16 hexadecimal digits.
        """
        digest = hashlib.sha256()
        for part in parts:
            rows = part.sort().values
            made_of = self.input_rows(rows)
            names = made_of.numpy().tobytes() if self.ids is None else "\0".join(self.input_ids(made_of)).encode()
            digest.update(b"%d %d;" % (len(rows), len(names)))
            digest.update(names)
            digest.update(self.targets[rows].numpy().tobytes())
        return digest.hexdigest()[:16]

    def digest_folds(self, parts: Iterable[Tensor]) -> str:
        """Return what `digest` says of held-out parts of what folds deal, and of how pairs are drawn from each."""
        digest = self.dealt.digest(parts)
        if self.origin is None:
            return digest
        return hashlib.sha256(f"{digest} {self.origin.label}".encode()).hexdigest()[: len(digest)]

    @cached_property
    def duplicates(self) -> dict[str, int]:
        """What `count_duplicates` says, counted once."""
        return count_duplicates(self)

    def with_parts(self, train: Tensor, val: Tensor) -> "Dataset":
        """Return the same data with another training and validation part, as a fold has them.

        Inputs that are settled on the training part are settled anew; the fingerprint stays that of the whole. Where
        pairs were drawn, the parts are of what `dealt` has, and pairs are drawn from each.
        """
        if self.origin is not None:
            return self.origin.with_parts(train, val)
        settled = {} if self.encode is None else self.encode(self.members(train))
        return replace(self, train=train, val=val, **settled)


def fingerprint(*tensors: Tensor) -> str:
    """Return the SHA-256 over shape, type and content of inputs, targets and what else there is, read in chunks."""
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(f"{tuple(tensor.shape)} {tensor.dtype};".encode())
        flat = tensor.contiguous().view(-1).view(torch.uint8).numpy()
        for start in range(0, flat.size, _CHUNK_BYTES):
            digest.update(flat[start : start + _CHUNK_BYTES].data)
    return digest.hexdigest()


def count_duplicates(dataset: Dataset) -> dict[str, int]:
    """Count inputs of the validation and test part that also stand in an earlier part, byte for byte.

    Returns:
        ``{"val": n, "test": m}``: n also in train, m also in train or val.
    """
    rows = dataset.inputs.flatten(1)
    train, *others = _with_a_likeness(
        rows, [dataset.members(part) for part in (dataset.train, dataset.val, dataset.test)]
    )
    seen = _row_hashes(rows, train)
    counts = {}
    for part, indices in zip(("val", "test"), others, strict=True):
        hashes = _row_hashes(rows, indices)
        counts[part] = int(np.isin(hashes, seen).sum())
        seen = np.concatenate([seen, hashes])
    return counts


def _with_a_likeness(rows: Tensor, parts: list[Tensor]) -> list[Tensor]:
    """Leave the rows whose sample of columns another row has too: few are then read whole, however large they are."""
    columns = torch.linspace(0, rows.shape[1] - 1, min(rows.shape[1], _SAMPLED_COLUMNS)).long()
    mixed = np.concatenate([_mixed(rows, part, columns) for part in parts])
    order = np.sort(mixed)
    repeated = np.unique(order[1:][order[1:] == order[:-1]])
    is_like = torch.from_numpy(np.isin(mixed, repeated))
    return [part[like] for part, like in zip(parts, is_like.split([len(part) for part in parts]), strict=True)]


def _mixed(rows: Tensor, part: Tensor, columns: Tensor) -> np.ndarray:
    """Return a number for each row that equal rows share, and others share by chance alone; read in chunks."""
    mixed = np.empty(len(part), np.uint64)
    for start in range(0, len(part), _CHUNK_ROWS):
        sample = rows[part[start : start + _CHUNK_ROWS][:, None], columns].contiguous()
        digits = sample.view(torch.uint8).numpy().reshape(len(sample), -1)
        padded = np.pad(digits, ((0, 0), (0, -digits.shape[1] % 8))).view(np.uint64)
        state = np.full(len(sample), _MIX, np.uint64)
        for word in padded.T:
            state = (state ^ word) * _MIX
            state ^= state >> np.uint64(29)
        mixed[start : start + len(sample)] = state
    return mixed


def _row_hashes(rows: Tensor, indices: Tensor) -> np.ndarray:
    # 64-bit SipHash of the bytes: a false match among a million rows has probability 1e-7.
    return np.fromiter((hash(rows[i].numpy().tobytes()) for i in indices.tolist()), np.int64, len(indices))


def require_finite(where: str, inputs: Tensor) -> None:
    """Refuse NaN and infinity in float inputs.

    Args:
        where: File or array name that begins the message.
        inputs: (N, ...) tensor.

    Raises:
        DataError: Names the first ten rows at fault.
    """
    if not inputs.is_floating_point():
        return
    bad = (~inputs.isfinite().flatten(1).all(dim=1)).nonzero().flatten().tolist()
    if bad:
        raise DataError(f"{where}, {first_ten('row', bad)}: got NaN or infinity; finite numbers are needed")
