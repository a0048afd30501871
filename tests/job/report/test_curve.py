from dlexp.job.report.curve import MOST_ROWS, curve_figure


def history(num):
    return [{"epoch": e, "lr": 0.1, "train/loss": 1 / e, "val/loss": 2 / e} for e in range(1, num + 1)]


def test_every_epoch_stands_in_the_table_the_best_marked():
    block = curve_figure(history(3), 2, "val/loss")
    assert block.table is not None
    assert block.table.columns == ("epoch", "train/loss", "val/loss", "lr")
    assert [row.is_marked for row in block.table.rows] == [False, True, False]
    assert "best val/loss at epoch 2 of 3" in block.finding


def test_of_many_epochs_first_best_and_last_are_among_those_shown():
    table = curve_figure(history(1000), 333, "val/loss").table
    assert table is not None
    epochs = [row.cells[0] for row in table.rows]
    assert len(epochs) <= MOST_ROWS + 3
    assert {1, 333, 1000} <= set(epochs)
