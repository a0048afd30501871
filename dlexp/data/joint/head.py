"""One target of several. Shapes: N examples, J targets, K outputs."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

import numpy as np


@dataclass(frozen=True)
class Head:
    """A target with the outputs that are its.

    Attributes:
        name: Of the column.
        task: "multiclass", "binary" or "regression".
        class_names: A name for each class; empty for values.
        positive: The positive class of two.
        has_gaps: Whether any example lacks it.
    """

    name: str
    task: str
    class_names: list[str] = field(default_factory=list)
    positive: int = 1
    has_gaps: bool = False

    @property
    def num_classes(self) -> int:
        """K, 0 for values."""
        return len(self.class_names)

    @property
    def num_outputs(self) -> int:
        """Columns of the outputs: one for a value and for two classes."""
        return self.num_classes if self.task == "multiclass" else 1

    @property
    def label(self) -> str:
        """The name in metrics, as in `val/LABEL/accuracy`: in letters, digits, spaces and ``_-.`` alone."""
        return re.sub(r"[^\w\-. ]", "_", self.name, flags=re.ASCII)


def of_columns(heads: Sequence[Head]) -> list[slice]:
    """Return the columns of the outputs that are each target's."""
    ends = list(accumulate((head.num_outputs for head in heads), initial=0))
    return [slice(first, end) for first, end in pairwise(ends)]


def of_target(stored: dict[str, np.ndarray], heads: Sequence[Head], place: int) -> dict[str, np.ndarray]:
    """Return what predictions say of one target, in the form that those of one target have.

    Args:
        stored: `id` (N,), `target` (N, J) with NaN in gaps, and `output` (N, K).
        heads: What the targets are.
        place: Of the target among them.

    Returns:
        The same of the n examples that have the target: classes with logits (n, K_j), or values (n,).
    """
    targets_N, outputs_NK = stored["target"][:, place], stored["output"][:, of_columns(heads)[place]]
    is_there_N = ~np.isnan(targets_N)
    targets_n, outputs_nK = targets_N[is_there_N], outputs_NK[is_there_N]
    if heads[place].num_classes:
        return {"id": stored["id"][is_there_N], "target": targets_n.astype(np.int64), "output": outputs_nK}
    return {"id": stored["id"][is_there_N], "target": targets_n, "output": outputs_nK[:, 0]}
