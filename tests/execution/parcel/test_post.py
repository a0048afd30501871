"""Workers that do not see the runs folder: the same trials, wherever they were trained, and none that is half there."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from dlexp.execution.dispatcher import Dispatcher
from dlexp.execution.integrity import is_intact
from dlexp.execution.parcel.archive import Archive
from dlexp.execution.parcel.outpost import Outpost
from dlexp.execution.parcel.parcel import Parcel, Returned
from dlexp.launcher.local import Local
from dlexp.run.folder import RunFolder
from tests.execution.parcel.away import train
from tests.execution.test_dispatcher import assign, holder

__all__ = ["holder"]  # a fixture


def weights(path: Path) -> list[tuple[str, str]]:
    files = sorted((path / "checkpoints").rglob("*.safetensors"))
    return [(str(file.relative_to(path)), hashlib.sha256(file.read_bytes()).hexdigest()) for file in files]


@pytest.mark.parametrize("life", [0, 3], ids=["undisturbed", "a node is lost"])
def test_what_comes_back_is_what_is_trained_at_home(monkeypatch, holder, tmp_path, life):
    home = RunFolder.create(tmp_path, "home", "holder", config={}, overrides=[], manifest={"kind": "sweep"})
    here, there = (assign(place, 2, "trainer.fuse=off") for place in (home, holder))
    with Dispatcher(home, lambda: False, Local(workers=1)) as dispatcher:
        list(dispatcher.train(here))
    home.unlock()
    told, pool = train(monkeypatch, holder, there, life)
    assert isinstance(pool.work, Outpost)
    assert all(isinstance(task, Parcel) for task in pool.tasks)
    assert len(pool.tasks) == 2 + (life > 0), "what a lost node had begun is trained once more"
    for a, b in zip(here, there, strict=True):
        assert told[b.path].status == "finished", told[b.path]
        assert weights(a.path) == weights(b.path) != []
        folder = RunFolder(b.path)
        assert is_intact(folder)
        assert folder.result is not None
        assert folder.result["run_dir"] == str(b.path)
        assert [r["val/loss"] for r in folder.history()] == [r["val/loss"] for r in RunFolder(a.path).history()]
    assert not (holder.path / "incoming").exists()


def test_a_folder_that_changed_on_its_way_is_not_put_in_its_place(monkeypatch, holder):
    (assignment,) = assign(holder, 1)

    def spoil(event):
        if not isinstance(event, Returned):
            return event
        return replace(event, folder=Archive(event.folder.content[:-1] + b"x", event.folder.sha256))

    told, _ = train(monkeypatch, holder, [assignment], change=spoil)
    assert told[assignment.path].status == "failed"
    assert RunFolder(assignment.path).manifest["reason"].startswith("a run folder that came back: its hash differs")
    assert not (assignment.path / "checkpoints").exists()
