"""Figures without pyplot."""

from PIL import Image

from dlexp.report.canvas import DPI, new_figure, plain, save


def test_saves_at_the_stated_size_and_leaves_no_other_file(tmp_path):
    figure = new_figure(2, 1)
    figure.subplots().plot([0, 1])
    path = save(figure, tmp_path / "deep" / "x.png")
    with Image.open(path) as image:
        assert image.size == (2 * DPI, DPI)
    assert [item.name for item in path.parent.iterdir()] == ["x.png"]


def test_any_text_is_drawn_as_it_is(tmp_path):
    figure = new_figure(2, 1)
    axis = figure.subplots()
    names = ["$50k", "<$50k and >$20k", "_hidden", "a_b^c", "100 %", "{x}"]
    axis.plot([0, 1], label=plain("$x^$y"))
    axis.set_yticks(range(len(names)), [plain(name) for name in names])
    axis.legend()
    save(figure, tmp_path / "x.png")
    assert [text.get_text() for text in axis.get_yticklabels()][:2] == [r"\$50k", r"<\$50k and >\$20k"]
    assert len(axis.get_legend_handles_labels()[1]) == 1
    axis.plot([0, 1], label=plain("_x"))
    assert len(axis.get_legend_handles_labels()[1]) == 2
