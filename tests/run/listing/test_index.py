"""The index of runs: whatever becomes of the folders, a listing with it is the listing without."""

import json
import os
import shutil
import time

import pytest

from dlexp.run.folder import RunFolder
from dlexp.run.listing import index, note
from dlexp.run.listing import line as line_of
from dlexp.run.listing.index import INDEX, glance, whole
from dlexp.run.listing.ranking import rank
from dlexp.run.scan import scan


def make(runs_dir, number, kind="train", place="exp", status="finished", **about):
    manifest = {"kind": kind, "monitor": {"metric": "val/accuracy"}, "params": {"optimizer.lr": number}, **about}
    folder = RunFolder.create(runs_dir, place, "slug", config={}, overrides=["optimizer.lr=1"], manifest=manifest)
    folder.write_result({"kind": kind, "metrics": {"val/accuracy": number / 10}, "report": {"val": {"long": [1] * 50}}})
    folder.update_manifest(status=status)
    folder.unlock()
    return folder


def older(folder):
    """Let the files of a folder be a minute old."""
    for path in folder.path.glob("*"):
        if path.is_file():
            os.utime(path, (time.time() - 60, time.time() - 60))


@pytest.fixture
def runs(tmp_path):
    made = [make(tmp_path, number) for number in range(4)]
    made += [make(tmp_path, 5, status="running"), make(tmp_path, 6, status="failed", place="other")]
    cv = make(tmp_path, 7, kind="cv")
    made += [cv, make(cv.path, 8, kind="setting", place="settings")]
    for folder in made:
        older(folder)
    return made


def require_same(runs_dir):
    assert [whole(record) for record in glance(runs_dir)] == scan(runs_dir)
    for limit in (1, 3):
        lists = [[r.limited(limit).records for r in rank(runs_dir, is_glance=is_glance)] for is_glance in (True, False)]
        assert lists[0] == lists[1]


def test_files_that_are_as_they_were_are_not_read_again(tmp_path, runs, monkeypatch):
    require_same(tmp_path)
    looked = []
    read = index.read_record

    def note_path(path, locked):
        looked.append(path)
        return read(path, locked)

    monkeypatch.setattr(index, "read_record", note_path)
    records = glance(tmp_path)
    assert looked == [folder.path for folder in runs if folder.manifest["status"] in ("running", "failed")]
    assert "report" not in records[0]
    assert len(records) == len(runs)


@pytest.mark.parametrize("is_old", [True, False], ids=["long after", "at once"])
def test_whatever_changes_in_a_folder_is_seen(tmp_path, runs, is_old):
    require_same(tmp_path)
    first, second, third, fourth, *_ = runs
    first.write_result({"kind": "train", "metrics": {"val/accuracy": 0.99}})
    second.update_manifest(status="diverged")
    note.write(third.path, note="a note", add=["tag"], remove=[])
    text = (fourth.path / "result.json").read_bytes()
    with open(fourth.path / "result.json", "r+b") as file:  # in its place, of the same size
        file.write(text.replace(b"0.3", b"0.9"))
    if is_old:
        for folder in runs[:3]:
            older(folder)
    require_same(tmp_path)
    shutil.rmtree(first.path)
    second.path.rename(second.path.with_name("renamed-folder"))
    make(tmp_path, 9)
    require_same(tmp_path)
    require_same(tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"not json\n{}\n[1]\n", b"\xff\x00" * 50, b'["exp/a", [], {}]\n', b"[1, 2, 3]"]
)
def test_an_index_that_is_damaged_is_none(tmp_path, runs, content):
    (tmp_path / INDEX).write_bytes(content)
    require_same(tmp_path)
    require_same(tmp_path)


def test_an_index_that_lies_of_the_wrong_form_is_not_believed(tmp_path, runs):
    glance(tmp_path)
    lines = [json.loads(line) for line in (tmp_path / INDEX).read_text().splitlines() if line]
    for line in lines:
        if len(line) == 4:
            line[1] = [name for name in line[1] if name != "value"]
            line[0] = line_of._digest(tuple(map(tuple, line[1:])))
    (tmp_path / INDEX).write_text("\n".join(map(json.dumps, lines)))
    require_same(tmp_path)


def test_values_that_are_damaged_are_read_from_the_folders(tmp_path, runs):
    expected = rank(tmp_path, sort="metrics.val/accuracy")
    rank(tmp_path, is_glance=True)
    text = (tmp_path / INDEX).read_text().replace('"[0.', '"[0.x')
    assert '"[0.x' in text
    (tmp_path / INDEX).write_text(text)
    listed = rank(tmp_path, sort="params.optimizer.lr", filter="metrics.val/accuracy > 0", is_glance=True)
    assert sum(len(ranking.records) for ranking in listed) == sum(
        (record["value"] or 0) > 0 for ranking in expected for record in ranking.records
    )


def test_the_file_does_not_grow_for_ever(tmp_path, runs):
    sizes = []
    for number in range(12):
        runs[0].write_result({"kind": "train", "metrics": {"val/accuracy": number / 100}})
        older(runs[0])
        require_same(tmp_path)
        sizes.append(len((tmp_path / INDEX).read_text().splitlines()))
    assert max(sizes) <= 2 * 2 * len(runs) + 2


def test_a_runs_folder_that_may_only_be_read_is_listed(tmp_path, runs, monkeypatch):
    def refuse(*_args, **_options):
        raise PermissionError

    monkeypatch.setattr(index, "write_text", refuse)
    require_same(tmp_path)
    assert not (tmp_path / INDEX).exists()
