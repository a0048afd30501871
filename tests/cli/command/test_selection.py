"""The words for a value that was picked: corrected with its interval, or why it is not."""

import io
from importlib import import_module

from rich.console import Console

show_selection = import_module("dlexp.cli.view.selection").show_selection  # installed from cli/


def shown(selection, what="epoch", *, is_terminal=False) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=60, soft_wrap=not is_terminal)  # as `cli.output.people` makes it
    show_selection(console, "val/accuracy 0.5313 is the best of 30 epochs", what, selection)
    return stream.getvalue()


def test_a_corrected_value_has_its_interval_and_its_notes():
    told = shown({"corrected": 0.4969, "corrected_interval": [0.41, 0.58], "corrected_notes": ["the best errs on [3]"]})
    assert told == (
        "val/accuracy 0.5313 is the best of 30 epochs; corrected for having been picked (epoch) 0.4969, "
        "95 % interval 0.4100 to 0.5800\nthe best errs on [3]\n"
    )


def test_of_settings_it_says_how_often_the_best_wins():
    corrected = {"corrected": 0.9, "corrected_interval": [0.8, 0.95], "corrected_notes": [], "wins": 0.62}
    assert shown(corrected, "setting and epoch").endswith("; it wins on 62% of validation parts drawn anew\n")


def test_what_is_not_corrected_says_why():
    assert shown({"not_corrected": "no epoch's examples are kept for val/f1_macro"}) == (
        "val/accuracy 0.5313 is the best of 30 epochs, which flatters it; not corrected: no epoch's examples are kept "
        "for val/f1_macro\n"
    )


def test_a_terminal_breaks_lines_between_words():
    selection = {"corrected": 0.4969, "corrected_interval": [0.41, 0.58], "corrected_notes": ["the best errs " * 9]}
    told = shown(selection, is_terminal=True)
    assert max(len(line) for line in told.splitlines()) <= 60
    assert told.split() == shown(selection).split()
