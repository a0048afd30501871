import math

import pytest

from dlexp.job.report.words import listed, name_of, score, sentence, span


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        ("val/accuracy", 350 / 359, "97.5 %"),
        ("val/accuracy", 1.0, "100 %"),
        ("accuracy", 0.1003, "10.0 %"),
        ("val/f1_macro", 0.9, "0.9000"),
        ("val/loss", None, "not finite"),
    ],
)
def test_accuracies_are_percentages(metric, value, text):
    assert score(metric, value) == text


def test_intervals_and_lists():
    assert span("val/accuracy", (0.953, 0.987)) == "95.3 to 98.7 %"
    assert [span("val/loss", ends) for ends in (None, (None, None), (math.nan, math.nan))] == ["", "", ""]
    assert [listed(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]
    assert name_of("val/f1_macro") == "f1 macro"


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("one seed a setting", "One seed a setting."),
        ("val/rmse 3 is no better", "val/rmse 3 is no better."),
        ("one seed each: dlexp compare --noise RUN", "One seed each: dlexp compare --noise RUN"),
        ("it ended.", "It ended."),
    ],
)
def test_a_line_of_a_terminal_as_a_sentence(line, text):
    assert sentence(line) == text
