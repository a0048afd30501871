"""Losses, penalties and constraints from the papers. Shapes: N examples, K classes."""

import math
from typing import Any

import torch
from torch import Tensor


def class_weights(h: dict[str, Any], targets_N: Tensor, num_classes: int) -> Tensor:
    """Return w_k: given, or N / (K N_k)."""
    if h.get("class_weight") is None:
        return torch.ones(max(num_classes, 1), dtype=torch.float64)
    if h["class_weight"] == "balanced":
        counts = torch.tensor([int((targets_N == k).sum()) for k in range(num_classes)], dtype=torch.float64)
        return len(targets_N) / (num_classes * counts)
    return torch.tensor(h["class_weight"], dtype=torch.float64)


def loss(kind: str, h: dict[str, Any], z_NK: Tensor, y_N: Tensor, w_K: Tensor) -> Tensor:
    """Return the mean loss of a batch; with class weights, their weighted mean."""
    if kind == "CrossEntropy":
        return _cross_entropy(h, z_NK, y_N, w_K)
    if kind == "BCE":
        return _binary(h, z_NK, y_N)
    if kind == "Hinge":
        return _hinge(h, z_NK, y_N)
    error_N = torch.abs(z_NK[:, 0] - y_N)
    if kind == "Huber":
        inner_N = error_N**2 / 2
        outer_N = h["delta"] * (error_N - h["delta"] / 2)
        return torch.where(error_N <= h["delta"], inner_N, outer_N).mean()
    return (error_N**2).mean() if kind == "MSE" else error_N.mean()


def _cross_entropy(h: dict[str, Any], z_NK: Tensor, y_N: Tensor, w_K: Tensor) -> Tensor:
    num, num_classes = z_NK.shape
    top_N1 = z_NK.detach().amax(1, keepdim=True)
    log_sum_N1 = top_N1 + torch.log(torch.exp(z_NK - top_N1).sum(1, keepdim=True))
    target_NK = torch.full((num, num_classes), h["label_smoothing"] / num_classes, dtype=torch.float64)
    target_NK[torch.arange(num), y_N] += 1 - h["label_smoothing"]
    mean = -(w_K * target_NK * (z_NK - log_sum_N1)).sum() / w_K[y_N].sum()
    return mean + h["lse_penalty"] * (log_sum_N1**2).sum() / num


def _binary(h: dict[str, Any], z_NK: Tensor, y_N: Tensor) -> Tensor:
    num = z_NK.shape[1]
    classes_K = torch.arange(num) if num > 1 else torch.ones(1)  # a lone column is the second class's
    y_NK = (y_N[:, None] == classes_K).double()
    s_NK = 1 / (1 + torch.exp(-z_NK))
    terms_NK = h["alpha"] * y_NK * torch.log(s_NK) + h["beta"] * (1 - y_NK) * torch.log(1 - s_NK)
    return -terms_NK.sum() / len(z_NK)


def _hinge(h: dict[str, Any], z_NK: Tensor, y_N: Tensor) -> Tensor:
    lead_N1 = z_NK[torch.arange(len(z_NK)), y_N][:, None]
    is_other_NK = y_N[:, None] != torch.arange(z_NK.shape[1])
    violation_NK = torch.where(is_other_NK, (h["margin"] + z_NK - lead_N1).clamp(min=0), 0.0)
    if h["form"] == "weston_watkins":
        return violation_NK.sum() / len(z_NK)
    # of equal largest violations, as before a unit is active, the mean is a subgradient
    is_top_NK = violation_NK.detach() == violation_NK.detach().amax(1, keepdim=True)
    return ((violation_NK * is_top_NK).sum(1) / is_top_NK.sum(1)).mean()


def penalty(kind: str, h: dict[str, Any], weights: list[Tensor]) -> Tensor:
    """Return the term that a regulariser adds for the weight matrices."""
    flat = torch.cat([weight.flatten() for weight in weights])
    if kind == "L1":
        return h["weight"] * flat.abs().sum()
    if kind == "L2":
        return h["weight"] * (flat**2).sum()
    if kind == "Elastic":
        return h["weight"] * (h["beta"] * (flat**2).sum() + flat.abs().sum())
    if kind == "Linf":
        return h["weight"] * sum((weight.abs().sum(1).max() for weight in weights), start=flat.new_zeros(()))
    return flat.new_zeros(())


def project(kind: str, h: dict[str, Any], params: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the parameters within a constraint."""
    if kind == "MaxNorm":
        return {name: _capped(value, h["max_norm"]) if value.ndim > 1 else value for name, value in params.items()}
    if kind == "NormBall":
        total = sum(float((value**2).sum()) for value in params.values())
        return {name: value * min(1.0, math.sqrt(h["eta"] / total)) for name, value in params.items()}
    return params


def _capped(weight: Tensor, largest: float) -> Tensor:
    norm = torch.sqrt((weight**2).sum(1, keepdim=True))
    return torch.where(norm > largest, weight * largest / norm, weight)
