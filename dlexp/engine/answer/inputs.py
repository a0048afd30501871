"""What an autoencoder is trained towards and judged by: its own inputs, as the model takes them.

Targets are the normalised inputs before anything corrupts them, so that noise, blur, blanks or dropped inputs make a
denoising autoencoder; what moves a picture (flips, crops, turns) moves its target too.
Of an example with inputs x (D) and reconstruction z two numbers are kept, not z itself: its error
sqrt(mean_d (z_d - x_d)^2) and its spread mean_d (x_d - m_d)^2, with m the mean of the training part's inputs.
Shapes: T trials, R chosen trials, B batch, D inputs of an example.
"""

from typing import Any

import torch
from torch import Tensor

from dlexp.metric.probability import exact_type
from dlexp.normalize import Affine

ROWS = 4096  # examples whose mean is taken at once


def as_targets(x: Tensor, *, is_image: bool) -> Tensor:
    """Return prepared inputs (..., C, H, W) or (..., D) as targets (..., D): channel by channel, row by row."""
    return x.flatten(-3) if is_image else x


def clean(augment: Any, images: Tensor, targets: Tensor, stream: torch.Generator) -> Tensor:
    """Return what an augmentation makes of images where its steps move pixels, and not where they change them.

    Args:
        augment: One, or several in turn.
        images: (B, C, H, W).
        targets: (B,) that it is called with.
        stream: As the augmentation itself was called with, at its beginning.
    """
    steps = getattr(augment, "steps", [augment])
    if not any(moves(step) for step in steps):
        return images
    for step in steps:
        changed, _ = step(images, targets, stream)
        images = changed if moves(step) else images
    return images


def moves(step: Any) -> bool:
    """Whether an augmentation moves pixels, so that the picture is another and not the same one corrupted."""
    return bool(getattr(step, "moves", False))


def mean_input(inputs: Tensor, rows: Tensor, affine: Affine) -> Tensor:
    """Return m (1, D) in float64, the mean of the rows' inputs, normalised and in the order of targets.

    Args:
        inputs: (N, H, W, C) or (N, D), raw.
        rows: Of the training part.
        affine: Fitted on it.
    """
    is_image, total = inputs.dim() == 4, 0.0
    for piece in rows.split(ROWS):
        x = affine.apply(inputs[piece], dtype=torch.float64)
        total = total + (x.movedim(-1, 1) if is_image else x).sum(0)
    assert isinstance(total, Tensor)
    return (total / len(rows)).reshape(1, -1)


def errors(outputs_RBD: Tensor, x: Tensor, centre: Tensor, *, is_image: bool) -> Tensor:
    """Return error and spread of each example (R, B, 2) in float64.

    Args:
        outputs_RBD: Reconstructions.
        x: Prepared inputs, of all trials or (R, ...) of each.
        centre: m, (1, D) of all trials or (R, D) of each.
        is_image: Whether inputs are pictures.
    """
    wide = exact_type(outputs_RBD)
    target = as_targets(x, is_image=is_image)
    target = target if target.dim() == 3 else target.unsqueeze(0)
    error = (outputs_RBD - target).square_().mean(-1, dtype=wide).sqrt_()
    spread = (target - centre.unsqueeze(1).to(target.dtype)).square_().mean(-1, dtype=wide)
    return torch.stack([error, spread.expand_as(error)], -1)
