"""What MLflow already has survives a restart; a damaged record is a fresh start."""

import json

import pytest

from dlexp.run.folder import RunFolder
from dlexp.tracking.sent import Sent


@pytest.fixture
def folder(tmp_path):
    made = RunFolder.create(tmp_path, "x", "y", config={}, overrides=[], manifest={"kind": "train"})
    yield made
    made.unlock()


def test_it_is_read_as_written(folder):
    assert not Sent.exists(folder)
    assert Sent.read(folder) == Sent()
    sent = Sent("http://here", "1", "abc", 7, "best/val_loss", True, "finished", "no answer", True)
    sent.write(folder)
    assert Sent.exists(folder)
    assert Sent.read(folder) == sent


@pytest.mark.parametrize("text", ["", "{", "[]", "7", json.dumps({"epoch": 3}), "\x00"])
def test_a_damaged_record_is_a_fresh_start(folder, text):
    (folder.path / "mlflow.json").write_text(text)
    assert Sent.read(folder) == Sent()


def test_the_record_of_an_earlier_version_is_read(folder):
    Sent("http://here", "1", "abc", 7).write(folder)
    path = folder.path / "mlflow.json"
    content = json.loads(path.read_text())
    del content["has_view"]
    path.write_text(json.dumps(content))
    assert Sent.read(folder) == Sent("http://here", "1", "abc", 7)
