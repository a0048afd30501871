"""A cv that is gone on with keeps the folds that its trainings began with."""

from dataclasses import replace

import pytest
import torch

from dlexp.data.fold import Fold
from dlexp.error import RunError
from dlexp.job.cv.recorded import with_recorded_folds
from dlexp.job.cv.spec import prepare
from dlexp.run.folder import FOLDS, TRIALS, RunFolder

BASE = ["data=wine", "tracking=none", "trainer.threads=1", "model.widths=[8]", "trainer.epochs=1", "cv.k=3"]


@pytest.fixture
def cv(tmp_path):
    folder = RunFolder.create(tmp_path, "wine", "x", config={}, overrides=[], manifest={"kind": "cv"})
    folder.unlock()
    return folder


def begin(cv: RunFolder, fold: Fold, place: str = FOLDS, kind: str = "fold") -> None:
    where = {"kind": kind, "repeat": fold.repeat, "fold": fold.fold, "status": "failed"}
    training = RunFolder.create(cv.path, place, fold.name, config={"seed": 0}, overrides=[], manifest=where)
    training.write_split({"train": fold.train.numpy(), "val": fold.val.numpy(), "test": fold.val[:0].numpy()})
    training.unlock()


def fewer(fold: Fold) -> Fold:
    return replace(fold, train=fold.train[1:])


def are_equal(mine: Fold, theirs: Fold) -> bool:
    return torch.equal(mine.train, theirs.train) and torch.equal(mine.val, theirs.val)


def test_what_is_on_record_is_kept(cv):
    spec = prepare(BASE)
    others = [fewer(fold) for fold in spec.folds]
    for fold in others:
        begin(cv, fold)
    dealt = with_recorded_folds(spec, cv).folds
    assert all(are_equal(mine, theirs) for mine, theirs in zip(dealt, others, strict=True))
    assert not are_equal(dealt[0], spec.folds[0])


def test_equal_folds_that_have_not_begun_are_dealt(cv):
    spec = prepare(BASE)
    begin(cv, spec.folds[1])
    folds = with_recorded_folds(spec, cv).folds
    assert all(are_equal(mine, theirs) for mine, theirs in zip(folds, spec.folds, strict=True))


def test_other_folds_of_which_one_is_not_on_record_are_refused(cv):
    spec = prepare(BASE)
    for fold in spec.folds[:2]:
        begin(cv, fewer(fold))
    with pytest.raises(RunError, match="an earlier version of dlexp dealt other examples to its folds"):
        with_recorded_folds(spec, cv)


@pytest.mark.parametrize("has_changed", [False, True])
def test_inner_trainings_of_other_examples_are_refused(cv, has_changed):
    spec = prepare([*BASE, "cv=nested", "optimizer.lr=0.1,0.2"])
    outer = fewer(spec.folds[0]) if has_changed else spec.folds[0]
    inner = replace(outer, train=outer.train[::2], val=outer.train[1::2])
    begin(cv, inner, TRIALS, "trial")
    if not has_changed:
        assert len(with_recorded_folds(spec, cv).folds) == 3
        return
    with pytest.raises(RunError, match="start the cv anew"):
        with_recorded_folds(spec, cv)
