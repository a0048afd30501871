"""Which metrics a run has besides the fixed ones, and their free constants. Shapes: T trials, N examples, K classes."""

import re
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from dlexp.direction import is_better_high
from dlexp.error import ConfigError, RunError
from dlexp.metric.probability import exact_type, log_weights
from dlexp.type import Component, Positive


@dataclass(frozen=True)
class Metrics:
    """The settings `metric.*`.

    An own metric is a class with

    - `name`: what the metric is called, in small letters, digits and underscores;
    - `higher_is_better`: a truth value. Everything that sorts goes by the name, so that one that is better when low
      has to end in loss or error (`dlexp.metric.name`), and one that is better when high may not;
    - `__call__(outputs, targets)`, which returns a number for the N examples of one part, every epoch anew. For
      classes `outputs` are the logarithms of their probabilities (N, K), for a regression values (N,) in the target's
      unit, both float64; `targets` are classes (N,) or values (N,).

    Args:
        beta: Weight of recall in F-beta, > 0.
        extra: Own metrics.
    """

    beta: Positive = 2.0
    extra: list[Component] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Refuse own metrics that lack what others read.

        Raises:
            ConfigError: A name, a direction or the call is missing, or name and direction do not agree.
        """
        for metric in self.extra:
            _check(metric)
        names = [metric.name for metric in self.extra]
        if len(set(names)) < len(names):
            raise ConfigError(f"metric.extra: got {', '.join(names)}; each needs a name of its own")

    @property
    def names(self) -> list[str]:
        """Names of the own metrics."""
        return [metric.name for metric in self.extra]

    @torch.no_grad()
    def measure(
        self, outputs: Tensor, targets_TN: Tensor, num_classes: int, link: str = "softmax"
    ) -> dict[str, Tensor]:
        """Return each own metric (T,); NaN for a trial whose outputs are not finite.

        Args:
            outputs: (T, N, K) logits, or values (T, N) or (T, N, 1).
            targets_TN: Classes or values.
            num_classes: 0 for regression.
            link: How outputs become probabilities.

        Raises:
            RunError: The user's code failed.
        """
        if not self.extra:
            return {}
        if num_classes:
            given = log_weights(outputs, link).log_softmax(-1)
        else:
            given = (outputs.squeeze(-1) if outputs.dim() == 3 else outputs).to(exact_type(outputs))
        pairs = list(zip(given, targets_TN, strict=True))
        return {
            metric.name: given.new_tensor(
                [_value(metric, *pair) if pair[0].isfinite().all() else torch.nan for pair in pairs]
            )
            for metric in self.extra
        }


def _value(metric: Any, outputs: Tensor, targets_N: Tensor) -> float:
    try:
        return float(metric(outputs, targets_N))
    except Exception as error:  # the user's code may raise anything
        raise RunError(f"metric.extra: {metric.name} failed ({type(error).__name__}: {error})") from error


def _check(metric: Any) -> None:
    kind = type(metric).__name__
    name, is_high = (getattr(metric, attribute, None) for attribute in ("name", "higher_is_better"))
    if not isinstance(name, str) or re.fullmatch(r"[a-z][a-z0-9_]*", name) is None:
        raise ConfigError(f"metric.extra: got {kind} with the name {name!r}; small letters, digits and _ are needed")
    if not isinstance(is_high, bool) or not callable(metric):
        raise ConfigError(
            f"metric.extra: got {kind}; a class with higher_is_better (true or false) and __call__ is needed"
        )
    if is_better_high(name) != is_high:
        cure = "end it in another word" if is_high else "end it in _loss or _error"
        direction = "high" if is_high else "low"
        raise ConfigError(f"metric.extra: got {name}, better when {direction}; its name says the reverse: {cure}")
