"""Files that settings name reach workers that do not see them: whole, each once, and data stay where they are."""

import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from dlexp.build.dataset import load_data
from dlexp.build.model import build_module
from dlexp.config.resolve import resolve
from dlexp.execution.assignment import Answer, Group, Survey
from dlexp.execution.fusion import SOLO, Choice
from dlexp.execution.parcel.archive import ArchiveFault
from dlexp.execution.parcel.enclosure import Encloser, Enclosure, Shelf
from dlexp.execution.parcel.outpost import Outpost
from dlexp.execution.parcel.parcel import Returned
from dlexp.execution.parcel.post import Post
from dlexp.launcher.launcher import Held
from tests.execution.parcel.away import Away
from tests.execution.test_dispatcher import COMMON, assign, holder

__all__ = ["holder"]  # a fixture


class Counting(Away):
    """A launcher that notes what it is given to keep."""

    def store(self, content: bytes) -> Held:
        vars(self).setdefault("given", []).append(content)
        return super().store(content)


@pytest.fixture
def first(tmp_path):
    """First weights of the trials that `assign` makes, all 0.25."""
    config = resolve(COMMON).config
    data = load_data(config)
    model = build_module(config, data.in_shape, len(data.class_names), seed=0)
    state = {name: torch.full_like(value, 0.25) for name, value in model.state_dict().items()}
    save_file(state, tmp_path / "first.safetensors")
    return tmp_path / "first.safetensors"


def given(launcher: Away) -> list[bytes]:
    return vars(launcher)["given"]


def test_a_worker_begins_with_weights_that_it_got_once_and_cannot_see(holder, first, tmp_path):
    launcher, content = Counting(), first.read_bytes()
    post = Post(launcher)
    tasks = assign(holder, 2, f"init_from.run={first}", "freeze=[hidden]", "trainer.epochs=1", "trainer.fuse=off")
    sent = pickle.dumps([post.send(Group([task], SOLO, 1)) for task in tasks])
    first.unlink()
    worker = Outpost()
    for number, parcel in enumerate(pickle.loads(sent)):
        (back,) = [event for event in worker(parcel, lambda: False) if isinstance(event, Returned)]
        back.folder.unpack(tmp_path / f"back{number}")
        weights = load_file(tmp_path / f"back{number}" / "checkpoints" / "best" / "weights.safetensors")
        assert weights["hidden.0.linear.weight"].unique().tolist() == [0.25]
        assert weights["output.weight"].unique().numel() > 1
    assert given(launcher) == [content]


def test_a_survey_is_answered_there_too(holder, first):
    tasks = assign(holder, 2, f"init_from.run={first}", "trainer.fuse=2", "trainer.epochs=1")
    survey = pickle.loads(pickle.dumps(Encloser(Counting()).survey(Survey(tasks, 1, Path("cache"), Path("record")))))
    first.unlink()
    assert (survey.cache, survey.record) == (None, None)
    (answer,) = Outpost()(survey, lambda: False)
    assert isinstance(answer, Answer)
    assert isinstance(answer.choice, Choice), answer.choice


def test_without_such_files_nothing_is_stored(holder):
    tasks = assign(holder, 1)
    assert Encloser(Counting())(tasks) == {}
    assert Shelf().settle(tasks, {}) is tasks


def test_a_content_that_changed_on_its_way_is_refused(holder):
    spoilt = {"first.safetensors": Enclosure("0" * 64, Held(b"x"))}
    with pytest.raises(ArchiveFault, match="a file that settings name: its hash differs"):
        Shelf().settle(assign(holder, 1), spoilt)
