import subprocess
import sys
from typing import Any

import torch
from sklearn.datasets import load_digits

from dlexp.data.digits import Digits


def test_equals_scikit_learn():
    reference: Any = load_digits()
    dataset = Digits().load()
    assert dataset.inputs.shape == (1797, 8, 8, 1)
    assert dataset.inputs.view(-1, 64).equal(torch.from_numpy(reference.data / 16).float())
    assert dataset.targets.equal(torch.from_numpy(reference.target).long())
    assert (len(dataset.train), len(dataset.val), len(dataset.test)) == (1079, 359, 359)
    assert dataset.class_names == [str(digit) for digit in range(10)]


def test_does_not_import_scikit_learn():
    code = "import sys; from dlexp.data.digits import Digits; Digits().load(); assert 'sklearn' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
