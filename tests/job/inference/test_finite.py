import numpy as np
import pytest
import torch
from torch import nn

from dlexp.error import DataError
from dlexp.execution.save.saved_model import SavedModel
from dlexp.job.inference.finite import Batch, of_files, of_rows, outputs_of
from dlexp.normalize import Affine


def model(weight: float, scale: float = 1.0) -> SavedModel:
    linear = nn.Linear(2, 1, bias=False)
    nn.init.constant_(linear.weight, weight)
    affine = Affine(torch.full((2,), scale, dtype=torch.float64), torch.zeros(2, dtype=torch.float64))
    return SavedModel({"in_shape": [2], "task": "regression"}, linear, affine, None)


INPUTS = torch.tensor([[1.0, 2.0], [3.0, 1e35], [np.inf, 4.0]], dtype=torch.float64)


def test_outputs_of_sound_inputs_are_the_models_own():
    batch = Batch(["0", "1"], INPUTS[:2], of_rows("n.npy"))
    torch.testing.assert_close(outputs_of(model(0.5), batch), torch.tensor([[1.5], [5e34]]))


def test_an_input_that_normalisation_takes_too_far_is_named():
    batch = Batch(["0", "1"], INPUTS[:2], of_rows("n.npy"))
    with pytest.raises(DataError, match=r"^n.npy, row 1, column 1: normalised .* torch.float32 to 3.4e\+38$"):
        outputs_of(model(1.0, scale=1e4), batch)


def test_an_output_that_overflows_is_no_prediction_whatever_the_inputs():
    for refuse, where in ((of_rows("n.npy"), "n.npy, row 1"), (of_files(["a.png", "b.png"]), "file b.png")):
        with pytest.raises(DataError, match=f"^{where}: the model gives no finite number"):
            outputs_of(model(1e5), Batch(["0", "1"], INPUTS[:2], refuse))
