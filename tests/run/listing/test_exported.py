"""The record of exported files: told as it is, and no fault of the run where it is damaged."""

import os
from typing import Any

import pytest

from dlexp.run.folder import RunFolder
from dlexp.run.listing.exported import FILE, add_export, is_exported, read_exports


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "manifest.json").write_text('{"kind": "train", "status": "finished", "run_id": "r"}')
    return RunFolder(tmp_path)


def record(path) -> Any:
    texts = dict.fromkeys(("format", "sha256", "card_sha256", "facts_sha256"), "x")
    return {"path": str(path), **texts, "bytes": 3, "difference": 0.0, "seconds": 1.0, "is_there": True}


def test_a_file_has_one_entry_and_is_looked_for(folder, tmp_path):
    assert read_exports(folder) == []
    here, gone = tmp_path / "a.onnx", tmp_path / "b.pt2"
    here.touch()
    for path in (here, gone, here):
        add_export(folder, record(path))
    assert [(entry["path"], entry["is_there"]) for entry in read_exports(folder)] == [
        (str(gone), False),
        (str(here), True),
    ]


def test_a_damaged_record_is_none(folder, tmp_path):
    for content in ("", "[]", '{"exports": 3}', '{"exports": [{"path": "a"}]}', '{"exports": [3]}'):
        (tmp_path / FILE).write_text(content)
        assert read_exports(folder) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_only_be_read_stays_as_it_is(folder, tmp_path):
    tmp_path.chmod(0o500)
    add_export(folder, record("a.onnx"))
    tmp_path.chmod(0o700)
    assert not (tmp_path / FILE).exists()


def test_endings(tmp_path):
    names = ("a.pt2", "a.ONNX", "a.safetensors", "a.pt", "a", ".onnx")
    assert [is_exported(tmp_path / name) for name in names] == [True, True, True, False, False, False]
