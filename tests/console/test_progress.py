"""What a person sees."""

import io
import re

import pytest
from rich.console import Console

from dlexp.console import progress
from dlexp.console.progress import ConsoleTracker
from dlexp.engine.event import EpochEnd, Progress, TrialEnd
from dlexp.number import duration

EPOCH = EpochEnd(0, 1, 34, 0.1, {"train/loss": 1.25, "val/accuracy": 0.875, "val/f1_macro": 0.8}, 0.5, True)
INSIDE = Progress(1, 17, 34, 1.5, 0.1, 2000.0)


def show(terminal: bool, quiet: bool = False, width: int = 160, epochs: int = 2) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=width, quiet=quiet)
    about = {"epochs": epochs, "epochs_done": 0, "steps_per_epoch": 34, "monitor": "val/accuracy", "num_train": 1000}
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


@pytest.mark.parametrize("width", [20, 30, 40, 60, 80, 120, 200])
def test_a_narrow_terminal_loses_whole_fields_never_digits(width):
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=width, color_system=None)
    tracker = ConsoleTracker(
        console, epochs=500, epochs_done=0, steps_per_epoch=34, monitor="val/balanced_accuracy", num_train=1000
    )
    for epoch in (1, 2):
        tracker(EpochEnd(0, epoch, 34, 0.1, {"train/loss": 1.25, "val/balanced_accuracy": 0.875}, 0.5, True))
    tracker.close()
    shown = re.sub(r"\x1b\[[0-9?]*[A-Za-z]", "\n", out.getvalue().replace("\r", "\n")).strip().splitlines()[-1].rstrip()
    assert len(shown) <= width
    assert "…" not in shown
    assert shown.split()[:2] == ["epoch", "2/500"]  # the line that stays does not turn
    words = {"val/balanced_accuracy": "0.8750", "loss": "1.2500", "lr": "0.1"}
    assert all(f"{name} {value}" in shown for name, value in words.items() if name in shown)
    assert ("val/balanced_accuracy 0.8750" in shown) == (width >= 60)


def test_the_line_that_stays_after_the_last_epoch_tells_no_remaining_time():
    last = show(terminal=True, width=120, epochs=1).rpartition("epoch 1/1")[2]
    assert "loss 1.2500" in last
    assert "ETA" not in last


def test_what_matters_least_is_left_out_first():
    fields = {
        "epoch": "epoch 1/2",
        "loss": "loss 1",
        "value": "acc 0.5",
        "left": "ETA 4 s",
        "bar": "-" * 24,
        "lr": "lr 1",
    }
    assert progress.line(fields, 200) == f"epoch 1/2  {'-' * 24}  loss 1  acc 0.5  lr 1  ETA 4 s"
    assert progress.line(fields, 45) == "epoch 1/2  loss 1  acc 0.5  lr 1  ETA 4 s"
    assert progress.line(fields, 30) == "epoch 1/2  acc 0.5  ETA 4 s"
    assert progress.line(fields, 10) == "epoch 1/2"


@pytest.mark.parametrize(("first", "left"), [(EPOCH, 4.5), (INSIDE, None)])
def test_the_remaining_time_is_known_from_the_first_epoch(monkeypatch, first, left):
    monkeypatch.setattr(progress.time, "monotonic", lambda: 100.0)
    console = Console(file=io.StringIO(), force_terminal=True, width=160)
    tracker = ConsoleTracker(
        console, epochs=10, epochs_done=0, steps_per_epoch=34, monitor="val/accuracy", num_train=1000
    )
    assert tracker._now()["left"] == "ETA -"
    tracker(first)
    assert tracker._now()["left"] == ("ETA -" if left is None else f"ETA {left} s")
    monkeypatch.setattr(progress.time, "monotonic", lambda: 104.0)
    tracker(EpochEnd(0, 2, 34, 0.1, EPOCH.metrics, 0.5, True))
    spent, steps = (4.5, 68) if left is not None else (4.0, 51)
    assert tracker._now()["left"] == f"ETA {duration(spent / steps * 8 * 34)}"
    tracker.close()


def test_quiet_says_nothing():
    assert show(terminal=False, quiet=True) == show(terminal=True, quiet=True) == ""
