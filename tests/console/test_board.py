"""What a sweep prints."""

import io

import pytest
from rich.console import Console

from dlexp.config.wording import setting_text, short_value
from dlexp.console.board import Board, fit, line, sparkline
from tests.present import present


def test_the_line_of_the_classic_lecture():
    setting = {"optimizer.lr": 9.4712e-04, "regularizer.weight": 1.4321e-03}
    assert line("val/accuracy", setting, 0.531, "finished", "", 14, 100) == (
        "val acc: 0.531, lr: 9.47e-04, reg: 1.43e-03, (14 / 100)"
    )


def test_failures_say_so():
    assert line("val/loss", {"seed": 1}, None, "failed", "ConfigError: x", 1, 2) == (
        "val loss: none, seed: 1, (1 / 2)  failed ConfigError: x"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1, "0.1"), (1.0, "1"), (0.85031, "8.50e-01"), (1e-5, "1.00e-05"), (0.0, "0"), (None, "null"),
     ([64, 64], "[64,64]"), ("relu", "relu"), (12, "12")],
)  # fmt: skip
def test_values_in_short(value, text):
    assert short_value(value) == text


def test_keys_that_would_look_the_same_are_written_out():
    setting = {"optimizer.weight": 1, "loss.weight": 2}
    assert setting_text(setting, is_short=True) == "optimizer.weight: 1, loss.weight: 2"


def test_sparklines():
    assert sparkline([0.0, 0.5, 1.0]) == "▁▅█"
    assert sparkline([float("nan")]) == ""
    assert len(sparkline([float(i) for i in range(100)])) == 24


def board(is_terminal):
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=is_terminal, width=100)
    shown = Board(console, "val/accuracy", True)
    shown.begin_round(1, [], 2)
    shown.epoch({"lr": 0.1}, 0.3)
    shown.end({"lr": 0.1}, 0.4, "finished", "", is_new=True)
    shown.end({"lr": 0.2}, 0.3, "finished", "", is_new=False)
    shown.begin_round(2, ["lr moves"], 3)
    shown.close()
    return stream.getvalue(), shown


def test_a_line_a_trial_off_a_terminal():
    text, shown = board(False)
    assert text.splitlines() == [
        "val acc: 0.400, lr: 0.1, (1 / 2)",
        "val acc: 0.300, lr: 0.2, (2 / 2)  was there",
        "round 2",
        "  lr moves",
    ]
    assert shown.best.startswith("val acc: 0.400")


def test_over_seeds_the_mean_of_a_whole_setting_is_the_best():
    shown = Board(Console(file=io.StringIO()), "val/accuracy", True, num_seeds=2)
    for lr, seed, value in ((0.1, 0, 0.9), (0.2, 0, 0.99), (0.1, 1, 0.8), (0.3, 0, 0.7), (0.3, 1, 0.72)):
        shown.end({"lr": lr, "seed": seed}, value, "finished", "", is_new=True)
    assert shown.best == "val acc: 0.850 ± 0.071, lr: 0.1, 2 seeds"


def test_what_is_hidden_and_what_is_waited_for_is_said():
    stream = io.StringIO()
    shown = Board(Console(file=stream, force_terminal=True, width=100), "val/accuracy", True)
    shown.begin_round(1, [], 12)
    present(shown._live).refresh()
    assert "timing how the next ones train fastest" in stream.getvalue()
    for i in range(12):
        shown.epoch({"lr": i}, 0.5)
    present(shown._live).refresh()
    shown.close()
    assert "running, and 4 more" in stream.getvalue()


def test_live_on_a_terminal():
    text, _ = board(True)
    assert "best  val acc: 0.400" in text
    assert "2 / 3 trials" in text


def test_a_billion_trials_say_how_long_they_will_take():
    stream = io.StringIO()
    shown = Board(Console(file=stream, width=100), "val/accuracy", True)
    shown.begin_round(1, [], 10**9)
    shown._started -= 100  # 10 trials in 100 s: 1e10 s
    for i in range(10):
        shown.end({"lr": i}, 0.5, "finished", "", is_new=True)
    assert stream.getvalue().splitlines()[-1] == "10 / 1,000,000,000 trials in 1:40, about 317 years left"


def test_a_round_in_batches_is_told_once():
    stream = io.StringIO()
    shown = Board(Console(file=stream, width=100), "val/accuracy", True)
    for number, notes in ((1, []), (2, ["lr moves"]), (2, []), (3, [])):
        shown.begin_round(number, notes, 9)
    assert stream.getvalue().splitlines() == ["round 2", "  lr moves", "round 3"]


def test_a_line_loses_whole_fields():
    text = "best  val acc: 0.975, lr: 8.59e-02, reg: 5.76e-05, (1 / 6)"
    assert fit(text, 200) == text
    assert fit(text, 58) == text
    assert fit(text, 57) == "best  val acc: 0.975, lr: 8.59e-02, reg: 5.76e-05, …"
    assert fit(text, 40) == "best  val acc: 0.975, lr: 8.59e-02, …"
    assert fit(text, 3) == "…"


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_board_fits_the_terminal_and_knows_the_remaining_time_from_the_first_epoch(width, monkeypatch):
    moment = [0.0]
    monkeypatch.setattr("dlexp.console.board.time.monotonic", lambda: moment[0])
    console = Console(file=io.StringIO(), force_terminal=True, width=width, color_system=None)
    shown = Board(console, "val/accuracy", True, epochs=10)
    shown._started = 0.0
    shown.begin_round(1, [], 4)
    setting = {f"optimizer.{name}": 1 / 3 for name in ("lr", "momentum", "weight_decay", "dampening")}
    shown.epoch(setting, 0.123456)
    moment[0] = 6.0
    page = Console(file=io.StringIO(), width=width)
    page.print(shown._view())
    lines = [text.rstrip() for text in page.file.getvalue().splitlines()]  # pyright: ignore[reportAttributeAccessIssue]
    assert max(map(len, lines)) <= width
    assert lines[0] == "0 / 4 trials in 0:06, about 3:54 left", "a tenth of one of four trials took 6 s"
    assert lines[2].startswith("lr: 3.33e-01")
    assert "0.1235" in lines[2]
    assert len(lines) == 4
    shown.close()
