from pathlib import Path

import pytest

from dlexp.config.relevance import relevant
from dlexp.config.source.place import contents, paths, resolved

MINE = """
from pathlib import Path


class Data:
    def __init__(self, source: Path | None = None, text: str = "x", picture_root="p", other="y", mode: str = "m"):
        pass
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    Path("of_mine.py").write_text(MINE)
    for name in ("pictures", "train"):
        Path(name).mkdir()
    Path("w.pt").write_bytes(b"w")
    return tmp_path


def test_a_path_is_what_is_declared_so(here):
    weights = {"_target_": "dlexp.model.torchvision.TorchvisionNet", "weights": "w.pt", "name": "w.pt"}
    table = {"_target_": "dlexp.data.table.Table", "path": "/abs/x.csv", "target": "train", "cache": "data/cache"}
    config = {"data": table, "model": weights, "seed": 0}
    assert paths(config) == {"data.path": "/abs/x.csv", "model.weights": "w.pt"}
    assert resolved(config) == {"model.weights": str(here / "w.pt")}


def test_of_a_users_class_also_what_leads_to_a_file_or_is_called_a_folder(here):
    node = {"_target_": "of_mine.Data", "source": "later", "text": "w.pt", "picture_root": "pictures", "mode": "train"}
    assert paths({"data": {**node, "other": "./train"}}) == {
        "data.source": "later",
        "data.text": "w.pt",
        "data.picture_root": "pictures",
        "data.other": "./train",
    }
    assert paths({"data": {"_target_": "of_mine.Data", "picture_root": "absent", "other": "train"}}) == {}


def test_the_content_of_a_file_decides_numbers_and_not_where_it_lies(here):
    def config(path):
        weights = {"_target_": "dlexp.model.torchvision.TorchvisionNet", "weights": path}
        return {"model": weights, "data": {"_target_": "of_mine.Data", "source": path}, "trainer": {}}

    Path("same.pt").write_bytes(b"w")
    before = relevant(config("w.pt"))
    assert before == relevant(config("same.pt")) == relevant(config(str(here / "w.pt")))
    assert list(contents(config("w.pt"))) == ["model.weights"]
    Path("w.pt").write_bytes(b"other")
    assert before != relevant(config("w.pt"))
    assert relevant(config("absent.pt"))["model"]["weights"] == "absent.pt"
