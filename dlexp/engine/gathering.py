"""Exact statistics of batch norm: an epoch's batches pass once more through a program, not augmented, without dropout.

Shapes: T trials, N batch.
"""

import torch

from dlexp.engine.forward import Forward
from dlexp.engine.task import Task, TrialSeeds, epoch_batches, gather
from dlexp.engine.trainer import Trainer


@torch.no_grad()
def gather_statistics(forward: Forward, task: Task, trainer: Trainer, seeds: list[TrialSeeds], epoch: int) -> None:
    """Give every `norm.statistics=exact` those of the training part under the present weights; without one, nothing.

    Args:
        forward: The program; its mode is training again afterwards.
        task: Data and normalisation.
        trainer: Batch size.
        seeds: Of each trial.
        epoch: Number of the epoch, from 0, whose batches are taken.
    """
    if not forward.set_gathering(True):
        return
    forward.set_training(False)
    for parts in gather(task.feed, epoch_batches(task, trainer, seeds, epoch)):
        for part in parts:
            forward(task.prepare(part.x, part.rows), is_shared=part.is_shared, rows=part.rows)
    forward.set_gathering(False)
    forward.set_training(True)
