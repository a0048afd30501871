"""How far the value corrected for having been picked is from the truth, by simulation.

Settings of known score are evaluated on random examples, the best is picked, and the correction is held against the
optimism that there was: the mean over repetitions of score minus truth. `python -m benchmarks.statistic.selection`
writes ``benchmarks/results/selection.json``; ``--quick`` takes a tenth of the repetitions.

Shapes: S settings, E epochs, N examples, C = S E candidates.
"""

import argparse
import itertools
import math
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.measure import write
from benchmarks.statistic.candidate import CANDIDATES
from dlexp.statistic.selection import Model, select

LIMIT = 0.3
CENTRE = 0.65
DRAWS = 60
MOST_FACTORED = 100  # scores
COMPARED = 500  # examples of the rows in which other estimators are tried too
MOST_COMPARED = 60  # repetitions that they are tried in
SMALL = 0.05  # optimism in standard errors below which a share of it means nothing
SPREADS = {"equal": 0.0, "spread": 1.0, "wide": 3.0, "plateau": 3.0}
NOTE = (
    "bias: (mean correction - mean optimism) / mean optimism; error: its standard error; optimism in standard errors "
    "of one score; coverage of the 95 % interval; errors_of_winner: their mean number. truths: equal; spread, wide: "
    "normal with a deviation of 1 and 3 times that of the settings' own noise; plateau: exponential below a common "
    "best, of mean 3; scores: right or wrong, or squared errors (loss). rho: correlation of latent scores between "
    "settings; epochs of one setting share half of the rest and rise by 0.3. others: bias of other estimators. A row "
    "holds where |bias| < 0.3 up to two standard errors, or the optimism is below 0.05 standard errors"
)


@dataclass(frozen=True)
class Case:
    """One row of the grid."""

    settings: int
    examples: int
    truth: str
    rho: float
    epochs: int
    score: str = "right"
    centre: float = CENTRE


def grid() -> list[Case]:
    """Return the rows."""
    sizes = list(itertools.product((2, 10, 50, 200), (50, 500, 5000)))
    cases = [Case(s, n, t, rho, 1) for s, n in sizes for t in SPREADS for rho in (0.0, 0.8)]
    cases += [Case(s, n, t, rho, 10) for s, n in sizes for t in SPREADS for rho in (0.0, 0.8)]
    cases += [Case(s, 500, t, 0.4, e) for s in (2, 10, 50) for t in ("equal", "plateau") for e in (1, 10)]
    cases += [Case(s, n, t, 0.4, 10, "loss") for s, n in sizes[:9] for t in ("equal", "spread")]
    cases += [Case(s, 359, "equal", 0.4, e, centre=0.98) for s in (2, 28) for e in (1, 30)]  # near the ceiling
    cases += [Case(1, n, "equal", 0.0, 30) for n in (50, 500)]  # one run, best of 30 epochs
    return cases


def simulate(case: Case, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return scores (C, N), higher is better, and the true means (C,)."""
    shape = case.settings, case.epochs
    apart = math.sqrt(1 - case.rho)
    shared = torch.randn(1, 1, case.examples, generator=generator) * math.sqrt(case.rho)
    spreads = [apart] if case.epochs == 1 else [apart / math.sqrt(2)] * 2
    z_SEN = shared + torch.randn(case.settings, 1, case.examples, generator=generator) * spreads[0]
    if case.epochs > 1:
        z_SEN = z_SEN + torch.randn(*shape, case.examples, generator=generator) * spreads[1]
    deviation = math.sqrt(2) if case.score == "loss" else math.sqrt(case.centre * (1 - case.centre))
    offset_S = _offsets(case, generator) * deviation * apart / math.sqrt(case.examples)
    fall_E = 0.3 * torch.exp(-torch.arange(1, case.epochs + 1) / 2) if case.epochs > 1 else torch.zeros(1)
    true_SE = offset_S[:, None] - fall_E
    if case.score == "loss":
        true_SE = -(1 - true_SE).clamp(min=0.05)
        scores_SEN = true_SE[..., None] * z_SEN.square()
    else:
        true_SE = (case.centre + true_SE).clamp(0.02, 0.995)
        scores_SEN = (z_SEN < torch.distributions.Normal(0.0, 1.0).icdf(true_SE)[..., None]).float()
    return scores_SEN.flatten(0, 1), true_SE.flatten()


def _offsets(case: Case, generator: torch.Generator) -> Tensor:
    """Return how far the settings are from the centre, in standard deviations of their own noise times root N."""
    if case.truth == "plateau":
        return -SPREADS["plateau"] * torch.empty(case.settings).exponential_(generator=generator)
    return SPREADS[case.truth] * torch.randn(case.settings, generator=generator)


def repetitions(case: Case, share: float) -> int:
    """Return how many make the standard error a few hundredths of the optimism, within a bearable time."""
    wanted = {1: 400, 2: 1000, 10: 300, 28: 150, 50: 120, 200: 40}[case.settings]
    if case.truth == "wide":
        wanted *= 2
    if case.epochs > 1:
        wanted //= 3
    affordable = int(5e8 / (case.settings * case.epochs * case.examples))
    return max(30, int(share * min(wanted, affordable)))


def once(case: Case, generator: torch.Generator, *, is_compared: bool) -> list[float]:
    """Return optimism less what all share, optimism, correction, half interval, the winner's errors, the others'."""
    scores_CN, true_C = simulate(case, generator)
    means_C = scores_CN.double().mean(1)
    noise_BC = _noise(scores_CN, generator)
    values, noise = means_C.numpy(), noise_BC.double().numpy()
    rows = [slice(s * case.epochs, (s + 1) * case.epochs) for s in range(case.settings)]
    share_of = case.examples if case.score == "right" else None
    told = select([[Model(values[row], noise[:, row])] for row in rows], share_of)
    above_C = means_C - true_C
    raw = float(above_C[int(means_C.argmax())])
    others = [estimate(scores_CN, noise_BC, generator) for estimate in CANDIDATES.values()] if is_compared else []
    errors = case.examples * (1 - told.value) if case.score == "right" else math.nan
    return [raw - float(above_C.mean()), raw, told.optimism, (told.high - told.low) / 2, errors, *others]


def _noise(scores_CN: Tensor, generator: torch.Generator) -> Tensor:
    """Return draws (B, C) with the means' covariance, as `dlexp.statistic.jitter` makes them: the cheaper of two ways.

    Normal multipliers of the examples give exactly normal noise of the sample covariance, which may as well be drawn.
    """
    num_scores, num = scores_CN.shape
    moves_CN = (scores_CN - scores_CN.mean(1, keepdim=True)) / math.sqrt(num * (num - 1))
    if num_scores > MOST_FACTORED or num_scores >= num:
        return torch.randn(DRAWS, num, generator=generator) @ moves_CN.T
    values, vectors = torch.linalg.eigh((moves_CN @ moves_CN.T).double())
    root_CC = (vectors * values.clamp(min=0).sqrt()).float()
    return torch.randn(DRAWS, num_scores, generator=generator) @ root_CC.T


def measure(case: Case, share: float) -> dict[str, Any]:
    """Return one line of the record."""
    generator = torch.Generator().manual_seed(0)
    num = repetitions(case, share)
    is_compared = case.examples == COMPARED and case.settings > 1
    rows = [once(case, generator, is_compared=is_compared and i < MOST_COMPARED) for i in range(num)]
    table, others = np.array([row[:5] for row in rows]), [row[5:] for row in rows if row[5:]]
    raw = table[:, 0].mean()
    deviation = math.sqrt(2) if case.score == "loss" else math.sqrt(case.centre * (1 - case.centre))
    bias, error = table[:, 2].mean() / raw - 1, (table[:, 2] - table[:, 0]).std() / math.sqrt(num) / abs(raw)
    optimism = raw * math.sqrt(case.examples) / deviation
    is_small = optimism < SMALL
    return {
        **asdict(case),
        "repetitions": num,
        "optimism": round(optimism, 3),
        "bias": round(bias, 3),
        "error": round(error, 3),
        "errors_of_winner": None if case.score == "loss" else round(float(table[:, 4].mean()), 1),
        "coverage": round(float((np.abs(table[:, 1] - table[:, 2]) <= table[:, 3]).mean()), 3),
        "holds": bool(is_small or abs(bias) - 2 * error < LIMIT),
        "is_below_limit": bool(is_small or abs(bias) < LIMIT),
        "others": {
            name: round(float(np.mean(column)) / raw - 1, 2)
            for name, column in zip(CANDIDATES, zip(*others, strict=True), strict=False)
        },
    }


def main() -> int:
    """Measure the grid and write the record; return 1 where a row does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the repetitions")
    share = 0.1 if parser.parse_args().quick else 1.0
    torch.set_num_threads(1)
    rows, began = [], time.time()
    for case in grid():
        rows.append(row := measure(case, share))
        about = " ".join(f"{key}={value}" for key, value in asdict(case).items())
        verdict = "" if row["holds"] else "  DOES NOT HOLD"
        others = " ".join(f"{name} {value:+.2f}" for name, value in row["others"].items())
        print(
            f"{time.time() - began:5.0f} s  {about}: optimism {row['optimism']:.2f}, bias {row['bias']:+.2f} "
            f"+- {row['error']:.2f}, coverage {row['coverage']:.2f}, "
            f"{row['errors_of_winner']} errors {others}{verdict}",
            flush=True,
        )
    path = write("selection", rows, NOTE)
    failed = sum(not row["holds"] for row in rows)
    print(f"{len(rows)} rows in {path}; {failed} do not hold")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
