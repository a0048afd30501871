"""Figures without pyplot."""

import matplotlib
import pytest
from PIL import Image

from dlexp.error import ConfigError
from dlexp.report.style.canvas import DPI, FORMATS, new_figure, panels, render, save, styled


def test_saves_at_the_stated_size_and_leaves_no_other_file(tmp_path):
    figure = new_figure(2, 1)
    figure.subplots().plot([0, 1])
    path = save(figure, tmp_path / "deep" / "x.png")
    with Image.open(path) as image:
        assert image.size == (2 * DPI, DPI)
    assert [item.name for item in path.parent.iterdir()] == ["x.png"]
    with Image.open(save(figure, path, dpi=300)) as image:
        assert image.size == (600, 300)


def test_every_format_is_written_and_another_refused(tmp_path):
    figure = new_figure(2, 1)
    figure.subplots().set_title("a title")
    begins = {name: save(figure, tmp_path / f"x.{name}").read_bytes()[:5] for name in FORMATS}
    assert begins == {"png": b"\x89PNG\r", "pdf": b"%PDF-", "svg": b"<?xml"}
    assert b">a title</text>" in (tmp_path / "x.svg").read_bytes()  # text as text
    assert render(figure, "svg") == render(figure, "svg")  # no date in it
    with pytest.raises(ConfigError, match=r"x\.bmp; names end with png, pdf, svg"):
        save(figure, tmp_path / "x.bmp")


def test_no_panel_is_empty():
    figure, axes = panels(5, 3)
    assert len(axes) == len(figure.axes) == 5
    assert figure.get_figwidth() == pytest.approx(3 * 3.15)
    assert len(panels(1, 3)[0].axes) == 1


def test_the_style_leaves_nothing_behind():
    before = dict(matplotlib.rcParams)
    with styled():
        assert matplotlib.rcParams["font.size"] == 8
    assert dict(matplotlib.rcParams) == before
