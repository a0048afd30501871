"""What a cv's figures are worth, by simulation: mean, intervals, pooled metrics, the best of m, nested cv.

Least squares on 200 Gaussian examples of two classes, whose true accuracy and area are known in closed form. Every
setting sees features that the others do not. `python -m benchmarks.statistic.crossvalidation` writes
``benchmarks/results/crossvalidation.json``. Shapes: m settings, N examples, D features, k folds.
"""

import argparse
import math
from typing import Any

import numpy as np
from scipy import special

from benchmarks.measure import write
from dlexp.statistic.bounded import mean_interval
from dlexp.statistic.score import weighted

NUM, FEATURES, SHIFT, K, INNER_K = 200, 3, 0.5, 5, 3
DRAWS = 4000
NOTE = (
    "Least squares on 200 examples with 3 Gaussian features, 5 folds. bias: mean of the estimate minus the true value "
    "of the model trained on all examples; error: its standard error; coverage: share of 95 % intervals that hold the "
    "mean true value of models trained on 4/5 of the examples; picked: the best of m equal settings by its cv mean "
    "against its true accuracy; nested: the mean of the outer folds (3 inner folds choose) against the true "
    "accuracy of the setting that a cv of all examples would choose"
)


def examples(num_settings: int, chance: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return x (m, N, D + 1), ending in 1, and signs (N,)."""
    signs_N = np.where(np.arange(NUM) % 2 == 0, 1.0, -1.0)
    x_mND = chance.standard_normal((num_settings, NUM, FEATURES)) + SHIFT * signs_N[:, None]
    return np.concatenate([x_mND, np.ones((num_settings, NUM, 1))], 2), signs_N


def fit(x_mND: np.ndarray, signs_N: np.ndarray) -> np.ndarray:
    """Return weights (m, D + 1)."""
    return np.linalg.solve(x_mND.mT @ x_mND, (x_mND.mT @ signs_N)[..., None])[..., 0]


def accuracy(weights_mD: np.ndarray) -> np.ndarray:
    """Return the true accuracy (m,): the mean over both classes of Phi((SHIFT sum w +- b) / |w|)."""
    lead_m, length_m = SHIFT * weights_mD[:, :-1].sum(1), np.linalg.norm(weights_mD[:, :-1], axis=1)
    ends = [special.ndtr((lead_m + sign * weights_mD[:, -1]) / length_m) for sign in (-1, 1)]
    return (ends[0] + ends[1]) / 2


def area(weights_D: np.ndarray) -> float:
    """Return the true area under the ROC curve, Phi(2 SHIFT sum w / (sqrt(2) |w|))."""
    return float(special.ndtr(math.sqrt(2) * SHIFT * weights_D[:-1].sum() / np.linalg.norm(weights_D[:-1])))


def deal(rows: np.ndarray, k: int, chance: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return k pairs of training and held-out rows, both classes in equal shares."""
    number = np.empty(len(rows), dtype=int)
    for parity in (0, 1):
        of_class = np.flatnonzero(rows % 2 == parity)
        number[chance.permutation(of_class)] = np.arange(len(of_class)) % k
    return [(rows[number != fold], rows[number == fold]) for fold in range(k)]


def crossed(
    x_mND: np.ndarray, signs_N: np.ndarray, folds: list[tuple[np.ndarray, np.ndarray]]
) -> dict[str, np.ndarray]:
    """Return each fold's accuracy (m, k) and weights (k, m, D + 1), and the scores (m, N) of held-out examples."""
    scores_mN = np.full(x_mND.shape[:2], np.nan)
    right, weights = [], []
    for train, held in folds:
        weights.append(fit(x_mND[:, train], signs_N[train]))
        scores_mN[:, held] = (x_mND[:, held] @ weights[-1][..., None])[..., 0]
        right.append((np.sign(scores_mN[:, held]) == signs_N[held]).mean(1))
    return {"accuracy": np.stack(right, 1), "weights": np.array(weights), "scores": scores_mN}


def once(chance: np.random.Generator) -> dict[str, float]:
    """Return the errors of one cv's figures, and what its intervals are to hold."""
    x_mND, signs_N = examples(1, chance)
    folds = deal(np.arange(NUM), K, chance)
    told = crossed(x_mND, signs_N, folds)
    whole, values, scores_N = fit(x_mND, signs_N)[0], told["accuracy"][0], told["scores"][0]
    targets_N = (signs_N > 0).astype(np.int64)

    def of_area(rows: np.ndarray) -> float:
        outputs = scores_N[rows, None]
        return float(weighted("roc_auc", outputs, targets_N[rows])(np.ones((1, len(rows))))[0])

    true = float(accuracy(whole[None])[0])
    ends = {
        "interval": mean_interval(values, (0.0, 1.0)),
        "interval_corrected": mean_interval(values, (0.0, 1.0), 1 / (K - 1)),
        "untransformed": mean_interval(values, test_to_train=1 / (K - 1)),
    }
    return {
        "mean accuracy": float(values.mean()) - true,
        "mean roc_auc": float(np.mean([of_area(held) for _, held in folds])) - area(whole),
        "pooled accuracy": float((np.sign(scores_N) == signs_N).mean()) - true,
        "pooled roc_auc": of_area(np.arange(NUM)) - area(whole),
        "fold accuracy": float(np.mean([accuracy(each) for each in told["weights"]])),
        **{
            f"{name} {end}": value
            for name, pair in ends.items()
            for end, value in zip(("low", "high"), pair, strict=True)
        },
    }


def picking(num_settings: int, chance: np.random.Generator) -> dict[str, float]:
    """Return the optimism of the best of m by its cv, and of nested cv."""
    x_mND, signs_N = examples(num_settings, chance)
    folds = deal(np.arange(NUM), K, chance)
    told = crossed(x_mND, signs_N, folds)
    true_m = accuracy(fit(x_mND, signs_N))
    best = int(told["accuracy"].mean(1).argmax())
    outer = []
    for fold, (train, _) in enumerate(folds):
        inner = crossed(x_mND, signs_N, deal(train, INNER_K, chance))["accuracy"].mean(1)
        outer.append(told["accuracy"][int(inner.argmax()), fold])
    return {"picked": told["accuracy"][best].mean() - true_m[best], "nested": float(np.mean(outer)) - true_m[best]}


def line(estimator: str, settings: int, quantity: str, values: np.ndarray) -> dict[str, Any]:
    """Return a row of the record: a mean and its standard error."""
    error = float(values.std(ddof=1)) / math.sqrt(len(values))
    about = {"estimator": estimator, "settings": settings, "quantity": quantity}
    return {**about, "value": round(float(values.mean()), 4), "error": round(error, 4), "repetitions": len(values)}


def main() -> None:
    """Simulate and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the repetitions")
    repetitions = DRAWS // (10 if parser.parse_args().quick else 1)
    chance = np.random.default_rng(0)
    told = [once(chance) for _ in range(repetitions)]
    table = {name: np.array([each[name] for each in told]) for name in told[0]}
    names = ("mean accuracy", "mean roc_auc", "pooled accuracy", "pooled roc_auc")
    rows = [line(name, 1, "bias", table[name]) for name in names]
    truth = table["fold accuracy"].mean()
    for name in ("interval", "interval_corrected", "untransformed"):
        rows.append(line(name, 1, "coverage", (table[f"{name} low"] <= truth) & (truth <= table[f"{name} high"])))
    for num_settings in (2, 5, 20):
        told = [picking(num_settings, chance) for _ in range(repetitions // 4)]
        for name in told[0]:
            rows.append(line(name, num_settings, "bias", np.array([each[name] for each in told])))
    for row in rows:
        print(row)
    print(write("crossvalidation", rows, NOTE))


if __name__ == "__main__":
    main()
