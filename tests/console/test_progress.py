"""What a person sees."""

import io

import pytest
from rich.console import Console

from dlexp.console.progress import ConsoleTracker
from dlexp.engine.event import EpochEnd, Progress, TrialEnd

EPOCH = EpochEnd(0, 1, 34, 0.1, {"train/loss": 1.25, "val/accuracy": 0.875, "val/f1_macro": 0.8}, 0.5, True)
INSIDE = Progress(1, 17, 34, 1.5, 0.1, 2000.0)


def show(terminal: bool, quiet: bool = False, width: int = 160) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=width, quiet=quiet)
    about = {"epochs": 2, "epochs_done": 0, "steps_per_epoch": 34, "monitor": "val/accuracy", "num_train": 1000}
    tracker = ConsoleTracker(console, **about)
    for event in (INSIDE, EPOCH, TrialEnd(0, "finished", "", 1)):
        tracker(event)
    return out.getvalue()


def test_off_a_terminal_a_line_an_epoch():
    lines = show(terminal=False).splitlines()
    assert lines == ["epoch 1/2  train/loss 1.2500  val/accuracy 0.8750  lr 0.1  2.0k examples/s  *"]


@pytest.mark.parametrize("width", [80, 160])
def test_on_a_terminal_of_any_width_everything_one_wants_to_know(width):
    text = show(terminal=True, width=width)
    for part in ("epoch 1/2", "loss 1.2500", "val/accuracy 0.8750", "lr 0.1", "2.0k ex/s", "ETA"):
        assert part in text


def test_quiet_says_nothing():
    assert show(terminal=False, quiet=True) == show(terminal=True, quiet=True) == ""
