"""Figures of a sweep are drawn for every kind of dimension."""

from PIL import Image

from dlexp.report.search import Point, draw_curves, draw_dimensions, draw_parallel

POINTS = [
    Point({"model": "a", "lr": 0.1, "widths": [8, 8]}, 0.5, 1),
    Point({"model": "b", "lr": 0.001}, 0.7, 2),
    Point({"model": "b", "lr": 1.0}, None, 2),
]
KEYS = ["model", "lr", "widths", "never"]


def is_drawn(path):
    with Image.open(path) as image:
        return min(image.size) > 200 and len(image.convert("L").getcolors() or []) > 10


def test_each_figure(tmp_path):
    assert is_drawn(draw_dimensions(POINTS, KEYS, {"lr"}, "val/accuracy", tmp_path / "d.png"))
    path = tmp_path / "p.png"
    assert is_drawn(draw_parallel(POINTS, KEYS, {"lr"}, "val/accuracy", path, is_high_better=True))
    history = [{"epoch": epoch, "val/accuracy": 0.1 * epoch} for epoch in (1, 2)]
    assert is_drawn(draw_curves([("a", history), ("b", history)], "val/accuracy", tmp_path / "c.png"))


def test_nothing_but_failures(tmp_path):
    failed = [Point({"lr": 0.1}, None, 1)]
    assert is_drawn(draw_dimensions(failed, ["lr"], {"lr"}, "val/loss", tmp_path / "d.png"))
