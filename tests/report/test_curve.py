"""Learning curves."""

from PIL import Image

from dlexp.report.curve import draw


def test_draws_a_png_for_classes_and_for_values(tmp_path):
    classes = [
        {"epoch": e, "lr": 0.1, "train/loss": 1 / e, "val/loss": 1.1 / e, "val/accuracy": 1 - 1 / e} for e in (1, 2, 3)
    ]
    values = [{"epoch": 1, "lr": 0.1, "train/loss": 1.0, "val/loss": float("nan"), "val/rmse": 2.0}]
    with Image.open(draw(classes, tmp_path / "figures" / "a.png")) as wide:
        assert wide.size[0] > wide.size[1] > 200
    with Image.open(draw(values, tmp_path / "b.png")) as small:
        assert small.format == "PNG"
