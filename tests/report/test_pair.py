"""Maps of pairs are drawn for every kind of dimension."""

from PIL import Image

from dlexp.report.pair import draw_pairs
from dlexp.report.search import Point

POINTS = [
    Point({"model": "a", "lr": 0.1, "widths": [8, 8]}, 0.5, 1),
    Point({"model": "b", "lr": 0.001, "depth": 3}, 0.7, 2),
    Point({"model": "b", "lr": 1.0, "depth": 5}, None, 2),
]


def size(path):
    with Image.open(path) as image:
        assert len(image.convert("L").getcolors() or []) > 10
        return image.size


def test_a_map_for_each_pair_of_the_first_four(tmp_path):
    keys = ["lr", "model", "widths", "depth", "more"]
    single = size(draw_pairs(POINTS, keys[:2], {"lr"}, "val/accuracy", tmp_path / "1.png", is_high_better=True))
    six = size(draw_pairs(POINTS, keys, {"lr"}, "val/accuracy", tmp_path / "6.png", is_high_better=True))
    assert six[0] > 2 * single[0]
    assert six[1] == 2 * single[1]


def test_the_best_is_red_where_it_lies(tmp_path):
    # the best has the smallest loss, at the left: a red star there, and none at the right
    points = [Point({"x": x / 10, "y": 0.5}, max(x, 5) / 10, 1) for x in range(11)]  # of equal ones the first
    with Image.open(draw_pairs(points, ["x", "y"], set(), "l", tmp_path / "p.png", is_high_better=False)) as image:
        pixels = image.convert("RGB")
        red = [x for x in range(image.width) for y in range(image.height) if pixels.getpixel((x, y)) == (214, 39, 40)]
    assert red
    assert max(red) < image.width / 3


def test_nothing_but_failures(tmp_path):
    failed = [Point({"lr": 0.1, "model": "a"}, None, 1)]
    drawn = draw_pairs(failed, ["lr", "model"], {"lr"}, "val/loss", tmp_path / "f.png", is_high_better=True)
    assert min(size(drawn)) > 100
