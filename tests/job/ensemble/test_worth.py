"""What the choice is worth, against the metrics of the same predictions taken by hand."""

import numpy as np
import pytest

from dlexp.job.ensemble.greedy import Rule, choose
from dlexp.job.ensemble.library import read
from dlexp.job.ensemble.nested import nest
from dlexp.job.ensemble.worth import weigh
from dlexp.statistic.proportion import wilson
from tests.job.compare import compared

RULE = Rule("log_loss", steps=5)


def test_scores_on_one_split_are_those_of_the_examples(tmp_path):
    target = np.arange(90) % 3
    library = read(
        [compared.write_run(tmp_path, compared.logits(s, target, 0.7), target).run_id for s in range(4)], tmp_path
    )
    nested = nest(library, RULE, 3, lambda done, total: None)
    weights = choose(library.answers_MNK, library.targets_N, RULE, library.measure)
    right = {
        "nested": nested.ensemble_NK.argmax(1) == library.targets_N,
        "best": nested.best_NK.argmax(1) == library.targets_N,
        "equal": library.answers_MNK.mean(0).argmax(1) == library.targets_N,
    }
    score = weigh(library, "accuracy", nested, weights)
    for name, hits in right.items():
        assert score[name]["value"] == pytest.approx(hits.mean())
        assert score[name]["interval"] == pytest.approx(list(wilson(hits.mean(), 90)))
    flattered = np.tensordot(weights, library.answers_MNK, 1).argmax(1) == library.targets_N
    assert score["flattered"] == pytest.approx(flattered.mean())
    alone = (library.answers_MNK.argmax(2) == library.targets_N).mean(1)
    assert score["mean_member"] == pytest.approx(alone.mean())
    pair = score["pairs"][0]
    assert (pair["a"], pair["b"], pair["over"], pair["num"]) == ("ensemble", "best model", "examples", 90)
    assert pair["difference"] == pytest.approx(right["nested"].mean() - right["best"].mean())
    assert pair.get("only_a") == int((right["nested"] & ~right["best"]).sum())
    loss = weigh(library, "log_loss", nested, weights)
    rows = np.arange(90)
    assert loss["nested"]["value"] == pytest.approx(-nested.ensemble_NK[rows, library.targets_N].mean())
    low, high = loss["nested"]["interval"]
    assert 0 <= low < loss["nested"]["value"] < high


def test_scores_of_folds_are_their_means_with_the_corrected_test(tmp_path):
    library = read([compared.write_cv(tmp_path, s, 0.7, k=5, num=100).run_id for s in (0, 20, 40)], tmp_path)
    nested = nest(library, RULE, None, lambda done, total: None)
    weights = choose(library.answers_MNK, library.targets_N, RULE, library.measure)
    score = weigh(library, "accuracy", nested, weights)
    hits = nested.ensemble_NK.argmax(1) == library.targets_N
    by_fold = [hits[rows].mean() for rows in library.splits.values()]
    assert score["nested"]["value"] == pytest.approx(np.mean(by_fold))
    assert score["pairs"][0]["test"] == "corrected resampled t"
    assert score["pairs"][0]["over"] == "folds"


def test_values_are_scored_by_their_error(tmp_path):
    draw = np.random.default_rng(0)
    target = draw.normal(size=40)
    values = [target + draw.normal(size=40) for _ in range(3)]
    refs = [compared.write_run(tmp_path, each, target, task="regression").run_id for each in values]
    library = read(refs, tmp_path)
    rule = Rule("rmse", steps=5)
    nested = nest(library, rule, 4, lambda done, total: None)
    score = weigh(library, "rmse", nested, np.array([1, 1, 1]) / 3)
    assert score["flattered"] == pytest.approx(np.sqrt(np.mean((np.mean(values, 0) - target) ** 2)))
    assert score["equal"]["value"] == pytest.approx(score["flattered"])
    assert score["pairs"][1]["a"] == "ensemble"


def test_a_score_that_no_resample_moves_has_no_interval(tmp_path):
    """Twelve examples without an error do not show that there is none."""
    target = np.arange(12) % 3
    library = read(
        [compared.write_run(tmp_path, compared.logits(s, target, 1.0), target).run_id for s in (0, 1)], tmp_path
    )
    nested = nest(library, RULE, 3, lambda done, total: None)
    for metric in ("roc_auc", "f1_macro"):
        standing = weigh(library, metric, nested, np.array([0.5, 0.5]))["nested"]
        assert standing["value"] == 1
        assert np.isnan(standing["interval"]).all()
