"""Each example is predicted by what was chosen without it."""

import numpy as np
import pytest

from dlexp.error import ConfigError
from dlexp.job.compare.side import Predictions
from dlexp.job.ensemble.greedy import Rule, best_alone, choose
from dlexp.job.ensemble.library import Library, read
from dlexp.job.ensemble.nested import nest
from dlexp.job.ensemble.worth import weigh
from dlexp.statistic.measure import Measure
from dlexp.statistic.score import log_probabilities
from tests.job.compare import compared

TARGET = np.arange(60) % 3
RULE = Rule("log_loss", steps=6)


def quiet(done: int, total: int) -> None:
    assert 1 <= done <= total


def made(outputs: list[np.ndarray]) -> Library:
    """Return models of three classes, 0, 1, 2, 0, ... by these logits, without a file."""
    ids_N = np.array([f"{row:03}" for row in range(len(outputs[0]))])
    targets_N = np.arange(len(ids_N)) % 3
    sides = [
        compared.side(f"m{number}", [Predictions(ids_N, targets_N, each, 0)]) for number, each in enumerate(outputs)
    ]
    said_MNK = np.stack([log_probabilities(each) for each in outputs])
    splits = {(0, 0): slice(0, len(ids_N))}
    return Library(sides, [side.run_id for side in sides], splits, ids_N, targets_N, said_MNK, Measure())


def by_hand(library: Library, heaps: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return what ensemble and best say of each heap, by taking its examples out of the library."""
    answers, targets = library.answers_MNK, library.targets_N
    ensemble, best = np.empty(answers.shape[1:]), np.empty(answers.shape[1:])
    for heap in heaps:
        others = [row for row in range(len(targets)) if library.ids_N[row] not in set(library.ids_N[heap])]
        weights = choose(answers[:, others], targets[others], RULE, library.measure)
        ensemble[heap] = np.log(np.tensordot(weights, answers[:, heap], 1))
        best[heap] = np.log(answers[best_alone(answers[:, others], targets[others], "log_loss", library.measure), heap])
    return ensemble, best


def test_no_example_has_a_say_in_what_predicts_it():
    library = made([compared.logits(seed, TARGET, 0.65) for seed in range(4)])
    before = nest(library, RULE, 4, quiet)
    assert len(before.weights) == 4
    for row in (0, 1, 17, 59):
        said_MNK = library.said_MNK.copy()
        is_true_K = np.arange(3) == TARGET[row]
        said_MNK[:, row] = np.where(is_true_K, -40.0, np.log(0.5))
        said_MNK[0, row] = np.where(is_true_K, 0.0, -40.0)  # the first model alone is right, the others sure and wrong
        after = nest(Library(**{**vars(library), "said_MNK": said_MNK}), RULE, 4, quiet)
        moved = [not np.array_equal(a, b) for a, b in zip(before.weights, after.weights, strict=True)]
        assert any(moved)  # by those that see it
        as_before = [
            np.log(np.tensordot(weights, np.exp(said_MNK[:, row]), 1))
            for weights, is_moved in zip(before.weights, moved, strict=True)
            if not is_moved
        ]
        assert any(np.allclose(after.ensemble_NK[row], said) for said in as_before)


def test_folds_of_a_cv_are_left_out_whole_in_every_repeat(tmp_path):
    library = read([compared.write_cv(tmp_path, seed, 0.7, k=5, num=50).run_id for seed in (0, 20, 40)], tmp_path)
    heaps = [np.arange(rows.start, rows.stop) for rows in library.splits.values()]
    ensemble, best = by_hand(library, heaps)
    nested = nest(library, RULE, None, quiet)
    np.testing.assert_allclose(nested.ensemble_NK, ensemble, rtol=1e-6)
    np.testing.assert_allclose(nested.best_NK, best, rtol=1e-6)
    with pytest.raises(ConfigError, match="--heaps: got 4 beside cvs, whose own folds are left out"):
        nest(library, RULE, 4, quiet)


def test_many_folds_are_left_out_in_ten_heaps(tmp_path):
    library = read([compared.write_cv(tmp_path, seed, 0.7, k=12, num=24).run_id for seed in (0, 60)], tmp_path)
    assert len(nest(library, RULE, None, quiet).weights) == 10


def test_too_few_examples_are_refused():
    library = made([compared.logits(seed, TARGET[:9], 0.7) for seed in range(2)])
    with pytest.raises(ConfigError, match="--heaps: got 5; 9 validation examples can be dealt into at most 4"):
        nest(library, RULE, None, quiet)


def test_choosing_among_equal_models_flatters_and_the_nested_score_does_not():
    """Of models that guess alike no choice is better than another: on the examples that chose it, it looks so."""
    gaps, nested_values, trues = [], [], []
    for draw in range(6):
        library = made([np.random.default_rng([draw, m]).normal(size=(120, 3)) for m in range(12)])
        rule = Rule("accuracy", steps=20)
        nested = nest(library, rule, 5, quiet)
        weights = choose(library.answers_MNK, library.targets_N, rule, library.measure)
        score = weigh(library, "accuracy", nested, weights)
        gaps.append(score["flattered"] - score["nested"]["value"])
        nested_values.append(score["nested"]["value"])
        trues.append(1 / 3)
    assert min(gaps) > 0.05
    # 6 x 120 guesses: the standard error of their mean is 0.018
    assert np.mean(nested_values) == pytest.approx(np.mean(trues), abs=4 * 0.018)
