"""Figures without pyplot."""

from PIL import Image

from dlexp.report.canvas import DPI, new_figure, save


def test_saves_at_the_stated_size_and_leaves_no_other_file(tmp_path):
    figure = new_figure(2, 1)
    figure.subplots().plot([0, 1])
    path = save(figure, tmp_path / "deep" / "x.png")
    with Image.open(path) as image:
        assert image.size == (2 * DPI, DPI)
    assert [item.name for item in path.parent.iterdir()] == ["x.png"]
