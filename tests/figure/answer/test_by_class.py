from dlexp.figure.answer.by_class import MOST_CLASSES, class_figure
from tests.figure.drawn import HARD_NAMES, assert_is_drawn_whole, numbers


def test_the_lowest_recall_stands_first_with_its_interval():
    figure = class_figure(["a", "b"], [0.9, 0.5], [(0.8, 1.0), (0.3, 0.7)], 0.7)
    (axis,) = figure.axes
    dots = next(line for line in axis.get_lines() if line.get_marker() == "o")
    assert numbers(dots.get_xdata()) == [0.5, 0.9]
    assert [text.get_text() for text in axis.get_yticklabels()] == ["b", "a"]
    assert [numbers(line.get_xdata()) for line in axis.get_lines()][1:3] == [[0.3, 0.7], [0.8, 1.0]]


def test_any_names_and_very_many_classes_are_drawn():
    for names in (HARD_NAMES, [f"class {k}" for k in range(100)]):
        shares = [k / len(names) for k in range(len(names))]
        figure = class_figure(names, shares, [(share, share) for share in shares], 0.5)
        assert len(figure.axes[0].get_yticklabels()) == min(len(names), MOST_CLASSES)
        assert_is_drawn_whole(figure)
