"""Residuals as a picture."""

import numpy as np
from PIL import Image

from dlexp.report import residual


def test_points_are_truth_against_prediction_and_prediction_against_error(tmp_path, monkeypatch):
    caught = []
    save = residual.save
    monkeypatch.setattr(residual, "save", lambda figure, path: caught.append(figure) or save(figure, path))
    path = residual.draw(np.array([1.0, 2.0]), np.array([1.5, 1.0]), tmp_path / "residuals.png")
    left, right = caught[0].axes
    assert left.collections[0].get_offsets().tolist() == [[1.0, 1.5], [2.0, 1.0]]
    assert right.collections[0].get_offsets().tolist() == [[1.5, 0.5], [1.0, -1.0]]
    with Image.open(path) as image:
        assert image.size[0] > image.size[1]
