from dlexp.figure.inside.layer import layer_figure
from tests.figure.drawn import LONG, assert_is_drawn_whole, numbers


def test_the_input_stands_on_top():
    (axis,) = layer_figure(["first", "second"], [0.3, 0.1]).axes
    assert numbers(axis.get_lines()[0].get_xdata()) == [0.3, 0.1]
    assert axis.get_ylim()[0] > axis.get_ylim()[1]
    assert [text.get_text() for text in axis.get_yticklabels()] == ["first", "second"]


def test_many_layers_and_long_names_are_drawn():
    assert_is_drawn_whole(layer_figure([f"{LONG}{i}" for i in range(150)], [0.1] * 150))
