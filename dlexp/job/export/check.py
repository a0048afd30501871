"""Whether an exported file gives what the run gives: on examples of the run, in batches of several sizes.

Shapes: N examples, K outputs.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from dlexp.build.dataset import load_data
from dlexp.data.dataset import Dataset
from dlexp.execution.description import as_divided
from dlexp.execution.integrity import require_same_data
from dlexp.execution.save.saved_model import SavedModel
from dlexp.export.file import Model
from dlexp.run.folder import RunFolder
from dlexp.run.stored import stored_config

BATCHES = (1, 7, 64)
ALLOWED = 1e-4


@dataclass(frozen=True)
class Examples:
    """What a file is checked on.

    Attributes:
        part: "val", or "train" of a run that was trained on both.
        inputs: Raw examples, as many as all batches have; of pairs both in turn.
    """

    part: str
    inputs: Tensor


def choose_examples(folder: RunFolder) -> Examples:
    """Return examples from all over a run's validation part; where it has fewer than are needed, some come again.

    Raises:
        DataError: The data are absent, or not those of the run.
    """
    data: Dataset = as_divided(folder, load_data(stored_config(folder)))
    require_same_data(folder, data)
    part = "val" if len(data.val) else "train"
    rows = getattr(data, part)
    places = torch.linspace(0, len(rows) - 1, sum(BATCHES)).round().long()
    return Examples(part, data.inputs[data.input_rows(rows[places])])


def largest_difference(model: SavedModel, exported: Model, inputs: Tensor) -> float:
    """Return the largest |a - b| / max(1, |b|) of a file's outputs a and the run's b, in batches of 1, 7 and 64.

    Values are first measured as the network has them, in standard deviations of the training targets from their mean.
    Where either is no finite number, but not both the same, it is infinite.

    Args:
        model: The run's.
        exported: The file's.
        inputs: Raw examples, as many as the batches have together; of pairs both in turn.
    """
    largest, each = 0.0, len(inputs) // sum(BATCHES)
    for batch in inputs.split([each * size for size in BATCHES]):
        got, wanted = (_plain(model, each.outputs(batch)) for each in (exported, model))
        apart = ((got - wanted).abs() / wanted.abs().clamp(min=1)).where(got != wanted, 0.0)
        largest = max(largest, apart.nan_to_num(nan=torch.inf).max().item())
    return largest


def _plain(model: SavedModel, outputs: Tensor) -> Tensor:
    wide = outputs.double()
    return wide if model.unit is None else model.unit.scale(wide[None])[0]
