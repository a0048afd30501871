"""Pictures by writer, in pairs."""

import shutil

import pytest
import torch

from dlexp.data.pair.folder import PairFolder
from dlexp.data.pair.require import require_sound
from dlexp.error import ConfigError, DataError
from tests.data.pair.picture_pairs import write_writers


def load(folder, **options):
    return PairFolder(path=str(folder), size=None, cache=None, **options).load()


def test_pairs_are_within_writers_genuine_ones_the_same_and_the_division_is_by_writer(tmp_path):
    data = load(write_writers(tmp_path / "writers"))
    require_sound(data)
    assert data.pairs is not None
    assert (data.task, data.name, data.class_names) == ("pairs", "writers", ["different", "same"])
    assert data.inputs.shape == (28, 6, 6, 1)
    for name, target in zip(data.sample_ids(torch.arange(len(data.targets))), data.targets.tolist(), strict=True):
        first, second = (path.split("/") for path in name.split(" | "))
        assert first[0] == second[0]
        assert (first[1], second[1]) == ("genuine", "genuine" if target else "forged")
    assert torch.bincount(data.targets).tolist() == [24, 24]  # 4 writers of C(4, 2) pairs
    writers = [{data.input_ids(data.members(getattr(data, p)))[0][:2]} for p in ("train", "val", "test")]
    assert all(a.isdisjoint(b) for a in writers for b in writers if a is not b)


def test_pairs_of_a_writer_can_be_limited_and_depend_on_the_split_seed(tmp_path):
    folder = write_writers(tmp_path / "writers")
    few, other = (load(folder, per_writer=2, split_seed=seed) for seed in (0, 1))
    assert torch.bincount(few.targets).tolist() == [8, 8]
    assert few.fingerprint != other.fingerprint
    assert few.fingerprint == load(folder, per_writer=2).fingerprint


def test_what_is_no_folder_of_writers_is_refused_with_the_cure(tmp_path):
    with pytest.raises(DataError, match="no such folder"):
        load(tmp_path / "none")
    folder = write_writers(tmp_path / "writers")
    with pytest.raises(ConfigError, match="task: got multiclass; the data are pairs"):
        PairFolder(path=str(folder), size=None, cache=None).load("multiclass")
    shutil.rmtree(folder / "w1" / "forged")
    with pytest.raises(DataError, match=r"writer w1 \(4 genuine, 0 forged\); each needs two pictures in genuine/"):
        load(folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no folders of writers"):
        load(tmp_path / "empty")


def test_too_few_writers_for_the_parts_are_refused(tmp_path):
    folder = write_writers(tmp_path / "writers", num=2)
    with pytest.raises(DataError, match=r"2 groups through shared pictures; 3 are needed.*data.test_fraction=0"):
        load(folder)
    assert len(load(folder, test_fraction=0.0).val)
