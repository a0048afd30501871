"""Rows of trials that are over and stay in a program whose updates are graphs, which would have to be captured anew."""

import torch

from dlexp.engine.step import Step


@torch.no_grad()
def rest(step: Step, rows: list[int], like: int) -> None:
    """Give rows whose trials are over the weights and state of another, so that their numbers stay finite."""
    weights = step.forward.weights(like)
    for row in rows:
        step.forward.load_weights(row, weights)
        for value in step.state.values():
            value[row].copy_(value[like])
