"""A row of the audit: a quantity, how far it is from its reference, and how far it may be."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

ROUNDING = 1e-10  # largest |a - b| / (1 + |b|) that float64 explains over some dozens of updates


@dataclass(frozen=True)
class Row:
    """A line of the table.

    Attributes:
        section: What it belongs to.
        name: The case.
        quantity: What is compared, and with what.
        difference: Largest distance from the reference.
        bound: Largest distance allowed.
    """

    section: str
    name: str
    quantity: str
    difference: float
    bound: float = ROUNDING

    @property
    def ok(self) -> bool:
        """Whether the distance is allowed; one that is not a number is not."""
        return self.difference <= self.bound

    def record(self) -> dict[str, Any]:
        """Return the row as it is stored."""
        about = {"section": self.section, "row": self.name, "quantity": self.quantity}
        shown = self.difference if math.isfinite(self.difference) else str(self.difference)
        return {**about, "difference": shown, "bound": self.bound, "ok": self.ok}


def apart(ours: Any, reference: Any) -> float:
    """Return the largest |a - b| / (1 + |b|); inf where shapes, or what is not a number, do not match."""
    a, b = (np.asarray(values, dtype=np.float64) for values in (ours, reference))
    if a.shape != b.shape or not np.array_equal(np.isfinite(a), np.isfinite(b)):
        return math.inf
    is_number = np.isfinite(b)
    return float((np.abs(a - b) / (1 + np.abs(b)))[is_number].max(initial=0.0))


def share(violations: Iterable[bool]) -> float:
    """Return the share of truths; a bound of 0 allows none."""
    values = list(violations)
    assert values, "a row that looks at nothing cannot fail"
    return sum(values) / len(values)
