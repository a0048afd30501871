"""The handwritten digits that scikit-learn ships: 1,797 grey images of 8 x 8."""

from dataclasses import dataclass

import torch

from dlexp.data.bundled import read
from dlexp.data.dataset import Dataset
from dlexp.data.split import Split
from dlexp.data.target import class_task


@dataclass(frozen=True)
class Digits(Split):
    """Handwritten digits, 1,797 grey images of 8 x 8, 10 classes; ships with scikit-learn, no download.

    Pixels are ink counts 0 to 16 divided by 16.

    References:
        E. Alpaydin, C. Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning Repository.
    """

    def load(self, task: str = "auto") -> Dataset:
        """Return the images as (1797, 8, 8, 1) float32 in [0, 1]."""
        table = torch.from_numpy(read("digits.csv.gz"))
        inputs = (table[:, :64] / 16).float().view(-1, 8, 8, 1)
        targets = table[:, 64].long()
        names = [str(digit) for digit in range(10)]
        train, val, test = self.divide(targets, class_names=names)
        return Dataset("digits", class_task(task, 10), inputs, targets, train, val, test, class_names=names)
