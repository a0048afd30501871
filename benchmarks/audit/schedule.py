"""Factors of the learning rate from the papers, by the number s of updates done."""

import math
from dataclasses import dataclass
from typing import Any


def factor(kind: str, h: dict[str, Any], s: int, total: int, per_epoch: int) -> float:
    """Return the factor of update s + 1 of `total`."""
    warm = round(h["warmup"] * per_epoch)
    rise = min(1.0, (s + 1) / warm) if warm else 1.0
    after, left = max(0, s - warm), total - warm
    if kind == "CosineDecay":  # Loshchilov and Hutter (2017), equation 5
        return rise * (h["final"] + (1 - h["final"]) * (1 + math.cos(math.pi * after / left)) / 2)
    if kind == "LinearDecay":
        return rise * (1 + (h["final"] - 1) * after / left)
    if kind == "ExponentialDecay":
        return rise * h["gamma"] ** (after / per_epoch)
    if kind == "StepDecay":
        marks = h["milestones"] or [h["step_size"] * i for i in range(1, total)]
        return rise * h["gamma"] ** sum(s >= mark * per_epoch for mark in marks)
    if kind == "OneCycle":
        return rise * _one_cycle(h, after, left)
    return rise


def _one_cycle(h: dict[str, Any], s: int, total: int) -> float:
    """Return the factor of Smith and Topin (2018), in half cosines as torch has them."""
    start = 1 / h["div_factor"]
    end = start / h["final_div_factor"]
    top = h["pct_start"] * total - 1
    if s <= top:
        return start + (1 - start) * (1 - math.cos(math.pi * s / top)) / 2
    return end + (1 - end) * (1 + math.cos(math.pi * (s - top) / (total - 1 - top))) / 2


@dataclass
class Plateau:
    """A drop by gamma after more than `patience` epochs without improvement; lower is better."""

    h: dict[str, Any]
    scale: float = 1.0
    best: float = math.inf
    bad: int = 0
    cooling: int = 0

    def observe(self, value: float) -> None:
        """Take in the value of an epoch."""
        if self.best == math.inf or value < self.best - self.h["threshold"] * abs(self.best):
            self.best, self.bad = value, 0
        else:
            self.bad += 1
        if self.cooling > 0:
            self.cooling, self.bad = self.cooling - 1, 0
        if self.bad > self.h["patience"]:
            self.scale, self.bad = max(self.scale * self.h["gamma"], self.h["min_scale"]), 0
            self.cooling = self.h["cooldown"]
