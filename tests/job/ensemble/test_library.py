"""What models said of the same examples, brought to one form; others are refused."""

from dataclasses import replace

import numpy as np
import pytest

from dlexp.error import RunError
from dlexp.job.ensemble import library as module
from dlexp.job.ensemble.library import read
from tests.job.compare import compared

TARGET = np.arange(60) % 3


def write(runs_dir, seed: int, **options) -> str:
    return compared.write_run(runs_dir, compared.logits(seed, TARGET, 0.8), TARGET, seed=seed, **options).run_id


def softmax(logits: np.ndarray) -> np.ndarray:
    shares = np.exp(logits.astype(np.float64))
    return shares / shares.sum(-1, keepdims=True)


def test_runs_are_probabilities_and_their_mean_is_weighted(tmp_path):
    refs = [write(tmp_path, seed) for seed in (1, 2, 3)]
    library = read([*refs, refs[0]], tmp_path)  # a model that is named twice is one
    order = np.argsort(library.ids_N.astype(int))
    expected = np.stack([softmax(compared.logits(seed, TARGET, 0.8)) for seed in (1, 2, 3)])
    np.testing.assert_allclose(library.answers_MNK[:, order], expected, rtol=1e-9)
    weights = np.array([0.5, 0.0, 0.5])
    np.testing.assert_allclose(np.exp(library.together(weights))[order], (expected[0] + expected[2]) / 2, rtol=1e-9)
    side = library.as_side("x", library.together(weights))
    assert side.splits[0, 0][0].targets.tolist() == library.targets_N.tolist()


def test_values_and_lone_columns_are_read(tmp_path):
    draw = np.random.default_rng(0)
    values, target = draw.normal(size=(2, 20)), draw.normal(size=20)
    refs = [compared.write_run(tmp_path, each, target, task="regression").run_id for each in values]
    library = read(refs, tmp_path)
    assert (library.is_classes, library.said_MNK.shape) == (False, (2, 20, 1))
    order = np.argsort(library.ids_N.astype(int))
    mean = library.together(np.array([0.25, 0.75]))[order, 0]
    np.testing.assert_allclose(mean, 0.25 * values[0] + 0.75 * values[1])
    lone = draw.normal(size=(2, 20, 1))
    refs = [compared.write_run(tmp_path, each, TARGET[:20] % 2, task="binary").run_id for each in lone]
    library = read(refs, tmp_path)
    expected = 1 / (1 + np.exp(-lone[:, np.argsort([str(i) for i in range(20)]), 0]))
    np.testing.assert_allclose(library.answers_MNK[:, :, 1], expected)


def test_a_cv_is_its_folds_and_seeds_are_averaged(tmp_path):
    cvs = [compared.write_cv(tmp_path, seed, 0.8, k=4, num=40, seeds=2).run_id for seed in (0, 9)]
    library = read(cvs, tmp_path)
    assert list(library.splits) == [(0, fold) for fold in range(4)]
    assert library.is_cv
    rows = np.arange(10)
    both = [softmax(compared.logits(0 + 0 + 50 * again, rows % 3, 0.8)) for again in (0, 1)]
    first = library.splits[0, 0]
    np.testing.assert_allclose(library.answers_MNK[0, first], np.mean(both, 0), rtol=1e-6)


def test_models_that_cannot_be_averaged_are_refused_in_one_line(tmp_path, monkeypatch):
    first, other = write(tmp_path, 1), write(tmp_path, 2)
    cv = compared.write_cv(tmp_path, 0, 0.8).run_id
    fewer = compared.write_run(tmp_path, compared.logits(3, TARGET[:50], 0.8), TARGET[:50]).run_id
    strange = write(tmp_path, 4, task="pairs")
    bad = compared.write_run(tmp_path, np.full((60, 3), np.nan), TARGET).run_id
    for refs, words in (
        ([first], "got 1 model; at least two are needed"),
        ([first, cv], "got a train and a cv; two of one kind"),
        ([first, fewer], "different validation examples .50 of 60 and 50"),
        ([first, write(tmp_path, 5, fingerprint="g")], "got different data"),
        ([strange, write(tmp_path, 6, task="pairs")], "got the task pairs; ensembles are chosen for multiclass"),
        ([first, bad], "predictions that are no numbers; leave it out"),
        ([first, write(tmp_path, 7, status="running")], "got a train that is running"),
    ):
        with pytest.raises(RunError, match=words):
            read(refs, tmp_path)
    monkeypatch.setattr(module, "MOST_BYTES", 100)
    with pytest.raises(RunError, match="got 2 models on 60 examples of 3 classes"):
        read([first, other], tmp_path)


def test_the_constants_are_those_of_the_runs_but_for_the_link(tmp_path):
    library = read([write(tmp_path, 1), write(tmp_path, 2)], tmp_path)
    assert replace(library.measure, link="margin") == replace(library.sides[0].splits[0, 0][0].measure, link="margin")
    assert library.measure.link == "softmax"
