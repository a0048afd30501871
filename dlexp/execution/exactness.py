"""Which forms of a program give the same bits, tried on the data at hand.

Two trials take an epoch's first two updates and its last two, where the batches may be shorter and differ in length
between folds; then they predict a whole batch and the last, shorter one. Whatever differs in a bit of a weight, a
statistic or an output is another rounding.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from dlexp.build.components import Components
from dlexp.build.program import make_program
from dlexp.engine.evaluate import predict
from dlexp.error import is_broken_device

UPDATES = 2
Trace = list[list[Tensor]]  # of each trial


def equal_forms(components: Sequence[Components], kinds: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the kinds of stack whose bits are those of each trial alone, and those that equal a stack of one.

    A form that runs out of memory, or fails, is in neither list.

    Args:
        components: Of at least two trials of equal structure.
        kinds: "batched", "vmapped", "graphed".
    """
    pair = list(components[:2])
    alone = [trace([each], "solo")[0] for each in pair]
    exact, row_equal = [], []
    for kind in kinds:
        try:
            together = trace(pair, kind)
            if are_equal(together, alone):
                exact.append(kind)
            elif are_equal(together, [trace([each], kind)[0] for each in pair]):
                row_equal.append(kind)
        except (RuntimeError, MemoryError) as error:
            if is_broken_device(error):
                raise
            continue  # timing it will say why
    return exact, row_equal


def trace(components: list[Components], engine: str) -> Trace:
    """Return the weights after the tried updates, and the outputs, of each trial of a program."""
    run = make_program(components, engine).run
    made: Trace = [[] for _ in components]
    for position in sorted({0, max(0, run.steps_per_epoch - UPDATES)}):
        run.position, run.trials = position, list(range(len(components)))
        target = run.number + min(UPDATES, run.steps_per_epoch)
        run.should_stop = lambda target=target: run.number >= target
        for _ in run.events():
            pass
        for row, tensors in enumerate(made):
            tensors += run.step.forward.weights(row).values()
    tried = [_first_and_last(rows, run.eval_batch_size) for rows in run.task.val]
    outputs = predict(run.step.forward, run.task, tried, run.eval_batch_size)
    for row, tensors in enumerate(made):
        tensors.append(outputs[row, : len(tried[row])])
    return made


def _first_and_last(rows: Tensor, size: int) -> Tensor:
    """Return the rows of the first batch, and of the last where it is shorter."""
    last = len(rows) % size
    return torch.cat([rows[:size], rows[len(rows) - last :]]) if len(rows) > size else rows


def are_equal(a: Trace, b: Trace) -> bool:
    """Say whether two traces are equal bit for bit."""
    return all(
        torch.equal(x.nan_to_num(), y.nan_to_num())
        for row_a, row_b in zip(a, b, strict=True)
        for x, y in zip(row_a, row_b, strict=True)
    )
