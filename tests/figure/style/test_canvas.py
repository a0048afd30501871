"""Figures without pyplot, in the format and size that are asked for; the files are opened by what reads them."""

import re
import zlib
from xml.etree import ElementTree

import matplotlib
import pytest
from PIL import Image

from dlexp.error import ConfigError
from dlexp.figure.style.canvas import PAGE, PANEL, add_legend, new_figure, panels, render, save, save_all, styled
from dlexp.figure.style.look import change_look, read_size
from tests.figure.drawn import texts
from tests.present import present

COLUMN = 8 * 72 / 2.54  # points of 8 cm


@pytest.fixture
def figure():
    figure = new_figure(2, 1)
    figure.subplots().set_title("a title")
    return figure


def test_saves_at_the_stated_size_and_leaves_no_other_file(tmp_path, figure):
    path = save(figure, tmp_path / "deep" / "x.png")
    with Image.open(path) as image:
        assert image.size == (400, 200)
    assert [item.name for item in path.parent.iterdir()] == ["x.png"]


def test_a_png_has_the_dots_that_are_asked_for(tmp_path):
    change_look(width=8 / 2.54, height=5 / 2.54, dpi=300)
    path = save(new_figure(2, 1), tmp_path / "x.png")
    with Image.open(path) as image:
        assert image.size == (944, 590)
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)


def test_a_pdf_has_the_page_that_is_asked_for_and_text_as_text(tmp_path, figure):
    change_look(width=8 / 2.54)
    figure = new_figure(2, 1)
    figure.subplots().set_title("a title")
    content = save(figure, tmp_path / "x.pdf").read_bytes()
    assert content.startswith(b"%PDF-")
    box = present(re.search(rb"/MediaBox \[ 0 0 ([0-9.]+) ([0-9.]+) \]", content))
    assert [float(side) for side in box.groups()] == pytest.approx([COLUMN, 72], abs=0.1)
    streams = [
        zlib.decompress(data) for data in re.findall(rb"FlateDecode.*?stream\r?\n(.*?)\r?\nendstream", content, re.S)
    ]
    assert any(b"Tj" in data or b"TJ" in data for data in streams)


def test_an_svg_has_the_size_that_is_asked_for_and_text_as_text(tmp_path):
    change_look(width=8 / 2.54)
    figure = new_figure(2, 1)
    figure.subplots().set_title("a title")
    root = ElementTree.parse(save(figure, tmp_path / "x.svg")).getroot()
    assert float(root.attrib["width"].removesuffix("pt")) == pytest.approx(COLUMN, abs=0.1)
    assert "a title" in [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert render(figure, "svg") == render(figure, "svg")  # no date in it


def test_the_figures_of_a_run_are_in_one_format_and_another_ending_is_refused(tmp_path, figure):
    change_look(format="svg")
    assert save_all({"a": lambda: figure, "b": lambda: figure}, tmp_path, print) == [
        tmp_path / "a.svg",
        tmp_path / "b.svg",
    ]
    with pytest.raises(ConfigError, match=r"x\.bmp; names end with png, pdf, svg"):
        save(figure, tmp_path / "x.bmp")


def test_a_figure_that_fails_is_said_by_name_and_the_others_are_drawn(tmp_path, figure, capsys):
    def fail():
        raise ValueError("no such corner")

    lines = []
    paths = save_all({"a": fail, "b": lambda: figure}, tmp_path, lines.append)
    assert [path.name for path in paths] == ["b.png"] == [path.name for path in tmp_path.iterdir()]
    assert lines == ["warning: the figure a could not be drawn (ValueError: no such corner); the result is complete"]
    assert capsys.readouterr().err.strip() == lines[0]


def test_a_size_without_room_for_the_labels_is_refused(tmp_path):
    figure = new_figure(2, 1)
    figure.subplots().set_ylabel("\n".join("tall" for _ in range(60)))
    with pytest.raises(
        ConfigError, match=r"--figure-size: got 5.08 cm x 2.54 cm; the labels of the figure leave no room"
    ):
        save(figure, tmp_path / "x.png")
    assert list(tmp_path.iterdir()) == []


def test_no_panel_is_empty_and_a_row_has_as_many_as_there_is_room_for():
    figure, axes = panels(5)
    assert len(axes) == len(figure.axes) == 5
    assert figure.get_figwidth() == pytest.approx(PAGE)
    assert len(panels(1)[0].axes) == 1
    assert panels(1)[0].get_figwidth() == pytest.approx(PANEL)
    columns = {}
    for width in (8, 16, 24, 25):
        change_look(width=read_size(str(width))[0])
        columns[width] = len({round(axis.get_position().x0, 3) for axis in panels(6)[1]})
    assert columns == {8: 1, 16: 2, 24: 3, 25: 3}


def test_a_legend_says_each_mark_once_beside_the_axes_or_below_where_that_is_too_narrow():
    heights = []
    for width in (16, 8):
        change_look(width=read_size(str(width))[0])
        figure, axes = panels(2)
        for axis in axes:
            axis.plot([0, 1], "x", label="failed")
            axis.plot([0, 1], "*", label="best")
        add_legend(figure)
        (legend,) = figure.legends
        assert [text.get_text() for text in legend.get_texts()] == ["failed", "best"]
        assert "best" in texts(figure)
        heights.append(max(axis.get_position().x1 for axis in axes))
    assert heights[0] < 0.9 < heights[1]
    figure = new_figure(2, 1)
    figure.subplots()
    add_legend(figure)
    assert figure.legends == []


@pytest.mark.parametrize("width", [16, 8])
def test_a_key_stands_below_the_axes_and_covers_no_legend(width):
    change_look(width=read_size(str(width))[0])
    figure, (axis,) = panels(1)
    axis.plot([0, 1], label="A")
    before = figure.get_figheight()
    add_legend(figure, ["A  a long name", "B  another"])
    assert any("B  another" in text for text in texts(figure))
    assert figure.get_figheight() > before + 0.2
    if width == 8:
        assert figure.legends[0].get_title().get_text().replace("\u00a0", " ") == "A  a long name\nB  another"
    assert axis.get_position().y0 > 0.15


def test_the_style_leaves_nothing_behind():
    before = dict(matplotlib.rcParams)
    with styled():
        assert matplotlib.rcParams["font.size"] == 8
    assert dict(matplotlib.rcParams) == before
