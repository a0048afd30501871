"""About how long training takes in one process, from a few updates."""

import time

from dlexp.build.program import assemble_group
from dlexp.execution.executor import Assignment
from dlexp.execution.fusion import Choice
from dlexp.job.loaded import Datasets
from dlexp.run.folder import RunFolder

TIMED_UPDATES = 3
FORWARD_SHARE = 1 / 3  # of an update's operations, which evaluating needs alone
MOST_TIMED = 3  # structures: others are taken to be like these


def seconds(parts: list[tuple[list[Assignment], Choice]], datasets: Datasets) -> float:
    """Return about how long trials or folds train one after another, saving apart.

    Args:
        parts: Those of one structure each, with how they will train; `Choice.gain` shortens it.
        datasets: Where their data are kept.
    """
    timed = parts[:MOST_TIMED]
    total = sum(_seconds(part, choice, datasets) for part, choice in timed)
    return total / sum(len(part) for part, _ in timed) * sum(len(part) for part, _ in parts)


def _seconds(part: list[Assignment], choice: Choice, datasets: Datasets) -> float:
    config = part[0].config
    dataset = datasets(config)
    run = assemble_group([config], [dataset]).run
    update = run.one_update()
    shortest = float("inf")
    for _ in range(TIMED_UPDATES + 1):  # the first makes what is made once
        started = time.perf_counter()
        update()
        shortest = min(shortest, time.perf_counter() - started)
    batches = len(dataset.val) / run.trainer.batch_size
    updates = run.steps_per_epoch + FORWARD_SHARE * batches / run.trainer.accumulate
    return shortest / choice.gain * updates * sum(_epochs(assignment) for assignment in part)


def _epochs(assignment: Assignment) -> int:
    """Return how many epochs are left."""
    last = assignment.until or assignment.config["trainer"]["epochs"]
    return max(0, last - (RunFolder(assignment.path).saved_epoch() or 0))
