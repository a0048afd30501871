"""The learning curves of a run on a page."""

from typing import TYPE_CHECKING, Any

from dlexp.job.report.picture import drawing
from dlexp.number import noun
from dlexp.report.model import Figure, Row, Table

if TYPE_CHECKING:
    from dlexp.figure.style.canvas import Figure as MatplotlibFigure


MOST_ROWS = 60
_COLUMNS = ("train/loss", "val/loss", "val/loss_se", "train/accuracy", "val/accuracy", "train/rmse", "val/rmse", "lr")


def curve_figure(history: list[dict[str, Any]], best_epoch: int, monitor: str) -> Figure:
    """Return the curves with best epoch and band of one standard error, and the table behind them.

    Args:
        history: The records of epochs, at least one.
        best_epoch: 0 for none.
        monitor: Metric that chose it.
    """

    def draw() -> "MatplotlibFigure":
        from dlexp.figure.curve import curves_figure

        return curves_figure(history, best_epoch, monitor)

    chosen = f"best {monitor} at epoch {best_epoch} of {len(history)}" if best_epoch else noun(len(history), "epoch")
    gap = _gap(history)
    return Figure("Learning curves", f"{chosen}{gap}.", drawing(draw), _table(history, best_epoch, monitor))


def _gap(history: list[dict[str, Any]]) -> str:
    last = history[-1]
    train, val = last.get("train/loss"), last.get("val/loss")
    if train is None or val is None or not train:
        return ""
    return f"; at the end the loss is {train:.3g} on training and {val:.3g} on validation examples"


def _table(history: list[dict[str, Any]], best_epoch: int, monitor: str) -> Table:
    columns = [name for name in dict.fromkeys((*_COLUMNS, monitor)) if any(name in record for record in history)]
    every = -(-len(history) // MOST_ROWS)
    shown = [r for r in history if r["epoch"] % every == 0 or r["epoch"] in (1, best_epoch, history[-1]["epoch"])]
    rows = [
        Row((record["epoch"], *(record.get(name) for name in columns)), is_marked=record["epoch"] == best_epoch)
        for record in shown
    ]
    thinned = f", every {every}th epoch" if every > 1 else ""
    return Table(f"by epoch{thinned}; the best one bold", ("epoch", *columns), rows)
