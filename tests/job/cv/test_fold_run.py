"""A fold's configuration: its own seed, its own part of the data, no sender of its own; and what is tried again."""

import shutil
from typing import Any

import pytest
import torch

from dlexp.build.dataset import deal_folds, load_data
from dlexp.config.resolve import resolve
from dlexp.job.cv import cv
from dlexp.job.cv.fold_run import configure
from dlexp.job.cv.nested import InnerChoice
from dlexp.run.folder import RunFolder
from tests.job.cv.ends import only_ends
from tests.job.cv.test_nested import folder_of, kinds, plain, start


def test_a_fold_can_be_loaded_by_its_configuration_alone():
    config = resolve(["data=wine", "cv.k=3", "cv.repeats=2"], job="cv").config
    data = load_data(config)
    folds = deal_folds(config, data)
    seeds = set()
    for fold in folds:
        fold_config = configure(config, fold)
        part = load_data(fold_config)
        assert torch.equal(part.train, fold.train)
        assert torch.equal(part.val, fold.val)
        assert torch.equal(part.test, data.test)
        assert fold_config["tracking"]["_target_"].endswith("NoTracking")
        assert fold_config == configure(config, fold)
        seeds.add(fold_config["seed"])
    assert len(seeds) == 6
    assert config["seed"] == 0
    assert "fold" not in config
    other = resolve(["data=wine", "cv.k=3", "cv.repeats=2", "seed=1"], job="cv").config
    assert configure(other, folds[0])["seed"] not in seeds


def test_other_settings_are_dealt_the_same_folds():
    first, other = (
        resolve(["data=wine", *more], job="cv").config for more in ([], ["model=softmax", "seed=3", "trainer.epochs=1"])
    )
    other["data"]["val_fraction"] = 0.3  # of an earlier version, which took the key in silence
    mine, theirs = (deal_folds(config, load_data(config)) for config in (first, other))
    assert all(torch.equal(a.val, b.val) for a, b in zip(mine, theirs, strict=True))
    moved = resolve(["data=wine", "data.split_seed=1"], job="cv").config
    assert not torch.equal(mine[0].val, deal_folds(moved, load_data(moved))[0].val)


def fail(folder: RunFolder) -> None:
    """Leave an inner training as one that failed in its first epoch."""
    for name in ("metrics.jsonl", "result.json"):
        (folder.path / name).unlink()
    shutil.rmtree(folder.checkpoints)
    folder.update_manifest(status="failed", reason="RuntimeError: out of luck", sealed={})


@pytest.mark.parametrize("is_retrying", [True, False])
def test_what_failed_inside_is_tried_again_unless_the_user_says_no(tmp_path, is_retrying):
    """A fold's training of a setting that is then no longer chosen makes room for that of the winner."""
    typed = ["data=wine", "optimizer.lr=0.00001,0.1", "trainer.fuse=off", f"search.retry_failed={is_retrying}"]
    before = start(tmp_path, *(text.lower() for text in typed))
    folder = folder_of(before)
    assert {searched["chosen"]["optimizer.lr"] for searched in before.result["searches"]} == {0.1}
    for child in kinds(folder)["trial"]:
        if child.config["optimizer"]["lr"] == 0.1 and child.manifest["fold"] == 0:
            fail(child)
    folder.write_result({**(folder.result or {}), "status": "interrupted"})
    folder.update_manifest(status="interrupted")
    new: list[Any] = []
    again = cv.resume("last", tmp_path, announce=lambda _about: only_ends(new.append), has_figures=False)
    trained = [event for event in new if not isinstance(event, InnerChoice) and event.is_new]
    if is_retrying:
        assert len(trained) == 2  # the inner trainings; both winners are there
        assert plain(again.result) == plain(before.result)
    else:
        assert [event.fold_run.inner for event in trained] == [None]
        first = plain(again.result)["searches"][0]
        assert first["chosen"] == {"optimizer.lr": 0.00001}
        assert next(each for each in first["tried"] if each["overrides"] == {"optimizer.lr": 0.1})["value"] is None
        winner = next(child for child in kinds(folder)["fold"] if child.manifest["fold"] == 0)
        assert winner.config["optimizer"]["lr"] == 0.00001
        fail(kinds(folder)["trial"][0])
        done = cv.resume("last", tmp_path, announce=lambda _about: only_ends(new.append), has_figures=False)
        assert done.notes == [f"cv {folder.run_id} is finished; there is nothing to resume"]
