"""The confusion matrix as a picture."""

import numpy as np
from PIL import Image

from dlexp.report.confusion import draw


def test_draws_few_and_many_classes_and_an_absent_one(tmp_path):
    few = draw(np.array([[5, 1], [0, 0]]), ["cat", "dog"], tmp_path / "few.png")
    many = draw(np.eye(100, dtype=int), [str(i) for i in range(100)], tmp_path / "many.png")
    with Image.open(few) as small, Image.open(many) as large:
        assert small.format == large.format == "PNG"
        assert large.size[0] > small.size[0]
