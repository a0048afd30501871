"""How far predicted values, or reconstructed inputs, are from true ones, on a page. Shapes: N examples."""

from typing import TYPE_CHECKING

import numpy as np

from dlexp.execution.save import saved_model
from dlexp.job.report.answer import Answers
from dlexp.job.report.example import read_data
from dlexp.job.report.picture import drawing
from dlexp.number import decimal, noun
from dlexp.report.model import Figure, Row, Table
from dlexp.run.folder import RunFolder

if TYPE_CHECKING:
    from dlexp.figure.style.canvas import Figure as MatplotlibFigure


SHOWN = 30


def residual_block(answers: Answers, name: str) -> Figure:
    """Return predictions over truth and residuals, the examples that are farthest away in the table behind.

    Args:
        answers: On the validation part.
        name: Of what is predicted.
    """
    targets_N, outputs_N = answers.targets.astype(np.float64), answers.outputs.astype(np.float64)
    errors_N = outputs_N - targets_N
    order = np.argsort(-np.abs(np.nan_to_num(errors_N, nan=np.inf)), kind="stable")[:SHOWN]
    rows = [
        Row((str(answers.ids[i]), float(targets_N[i]), float(outputs_N[i]), float(errors_N[i]))) for i in order.tolist()
    ]
    size = np.abs(errors_N)
    finding = (
        f"Half of the predictions are within {decimal(float(np.median(size)))} of the truth, nine of ten within "
        f"{decimal(float(np.quantile(size, 0.9)))}; on average they are {decimal(abs(float(errors_N.mean())))} too "
        f"{'high' if errors_N.mean() > 0 else 'low'}."
    )

    def draw() -> "MatplotlibFigure":
        from dlexp.figure.residual import residual_figure

        return residual_figure(targets_N, outputs_N, name)

    table = Table(f"the {noun(len(rows), 'example')} farthest away", ("example", "truth", "prediction", "error"), rows)
    return Figure("Predictions and residuals", finding, drawing(draw), table)


def error_table(answers: Answers) -> Table:
    """Return the examples that are reconstructed worst.

    Args:
        answers: Errors of reconstructions.
    """
    error_N = answers.outputs.astype(np.float64)
    order = np.argsort(-error_N, kind="stable")[:SHOWN]
    rows = [Row((str(answers.ids[i]), float(error_N[i]))) for i in order.tolist()]
    return Table(f"the {noun(len(rows), 'example')} of the largest errors", ("example", "error"), rows)


def reconstruction_block(folder: RunFolder, answers: Answers) -> Figure | Table:
    """Return inputs above reconstructions, or errors by column; the table alone where the data cannot be had.

    Args:
        folder: The run's.
        answers: On the validation part.
    """
    error_N, table, data = answers.outputs.astype(np.float64), error_table(answers), read_data(folder)
    if data is None:
        return table
    finding = (
        f"Half of the examples have an error below {decimal(float(np.median(error_N)))}, nine of ten below "
        f"{decimal(float(np.quantile(error_N, 0.9)))}: the root of the mean square over an example's normalised inputs."
    )

    def draw() -> "MatplotlibFigure":
        from dlexp.figure.answer.reconstruction import reconstruction_figure

        model = saved_model.load(folder)
        return reconstruction_figure(data, error_N, model.affine, lambda rows: model.reconstruct(data.inputs[rows]))

    return Figure("Reconstructions", finding, drawing(draw), table)
