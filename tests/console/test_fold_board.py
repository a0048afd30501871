"""What a cv shows while it trains."""

import io

import pytest
from rich.console import Console

from dlexp.console.fold_board import FoldBoard


def shown(width: int = 100, *, is_terminal: bool = True, **more) -> tuple[FoldBoard, io.StringIO]:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=is_terminal, width=width)
    return FoldBoard(console, "val/accuracy", epochs=10, total=5, **more), stream


def text_of(board: FoldBoard, stream: io.StringIO, width: int = 100) -> str:
    board.close()
    console = Console(file=io.StringIO(), width=width)
    with console.capture() as capture:
        console.print(board._view())
    return capture.get()


def test_fold_epoch_metric_and_time_left():
    board, stream = shown()
    for value in (0.5, 0.7):
        board.epoch("fold 2", value)
    board.end("fold 1", 0.8, is_new=True)
    text = text_of(board, stream)
    assert "1 / 5 trainings" in text
    assert "fold 2" in text
    assert "0.7" in text
    assert "▁█ 2/10" in text
    assert "val/accuracy 0.8000 over 1 so far" in text
    assert "left" in text


def test_folds_that_differ_by_rounding_have_no_spread():
    board, stream = shown()
    for fold, value in enumerate((0.8, 0.8 + 1.1e-16, 0.8)):
        board.end(f"fold {fold}", value, is_new=True)
    assert "val/accuracy 0.8000 ± 0.0000 over 3 so far" in text_of(board, stream)


@pytest.mark.parametrize(
    ("ends", "epochs", "left"),
    [([], 0, None), ([], 1, 490.0), ([True], 0, 40.0), ([True, True], 5, 10.0), ([False, True], 0, 30.0)],
    ids=["before the first epoch", "from the first epoch", "a fold", "between", "one was there"],
)
def test_the_time_left_is_that_of_the_epochs_left(ends, epochs, left):
    board, _ = shown()
    board.close()
    for number, is_new in enumerate(ends):
        board.end(f"fold {number}", 0.9, is_new=is_new)
    for _ in range(epochs):
        board.epoch("fold 5", 0.5)
    # after 10 s: `share` trainings took them, so each of those left takes 10 / share
    assert board.seconds_left(10.0) == (None if left is None else pytest.approx(left))


def test_when_all_have_ended_neither_a_table_nor_a_remaining_time_is_left():
    board, stream = shown()
    for number in range(5):
        board.epoch(f"fold {number}", 0.5)
        board.end(f"fold {number}", 0.5, is_new=True)
    text = text_of(board, stream)
    assert "5 / 5 trainings in 0:00" in text
    assert "left" not in text
    assert "epochs" not in text


def test_of_searches_inside_nobody_knows_what_is_left():
    board, stream = shown(has_inner=True)
    board.epoch("fold 1 inner 1", 0.5)
    board.end("fold 1 inner 1", 0.5, is_new=True, is_inner=True)
    board.epoch("fold 1 inner 2", 0.5)
    assert board.seconds_left(10.0) is None
    assert "0 / 5 trainings, 1 inside the searches" in text_of(board, stream)


def test_off_a_terminal_there_are_its_lines_alone():
    board, stream = shown(is_terminal=False)
    board.epoch("fold 1", 0.5)
    board.print("fold 1  finished")
    board.close()
    assert stream.getvalue() == "fold 1  finished\n"


@pytest.mark.parametrize("width", [40, 60, 80])
def test_a_narrow_terminal_keeps_the_digits(width):
    board, stream = shown(width)
    board.epoch("optimizer.lr=0.1  repeat 1 fold 2", 0.98765)
    text = text_of(board, stream, width)
    assert "0.9877" in text
    assert "1/10" in text
    assert max(map(len, text.splitlines())) <= width
