"""Frozen layers in whole commands: killed on either side of the epoch that frees them, they go on to the same bits."""

import hashlib
import json
from pathlib import Path

import pytest
from safetensors.torch import load_file

from dlexp.engine import checkpoint
from tests.command import run

SIZE = ["data.limit=150", "model.widths=[6,6]", "trainer.epochs=3", "trainer.fuse=2"]
COMMON = [*SIZE, "tracking=none", "trainer.threads=1", "runs_dir=runs"]
FROZEN = ["optimizer=adam", "freeze=[hidden.0]", "freeze.until=1"]
COMMANDS = {"train": [], "cv": ["cv.k=2"], "sweep": ["seed=0,1"]}


class Killed(BaseException):
    """Ends a command wherever it is."""


def bits(place: Path) -> list[tuple[str, list[float]]]:
    """Return the best weights' hash of each training and its losses, epoch by epoch."""
    files = [path for path in place.rglob("weights.safetensors") if path.parent.name == "best"]
    return sorted((hashlib.sha256(path.read_bytes()).hexdigest(), losses(path.parents[2])) for path in files)


def losses(folder: Path) -> list[float]:
    return [json.loads(line)["train/loss"] for line in (folder / "metrics.jsonl").read_text().splitlines()]


def kill(patch: pytest.MonkeyPatch, epoch: int) -> None:
    save = checkpoint.save

    def save_and_die(directory, weights, state, **how):
        save(directory, weights, state, **how)
        if state.get("epoch") == epoch and directory.name != "best":
            raise Killed

    patch.setattr(checkpoint, "save", save_and_die)


@pytest.fixture(scope="module", params=list(COMMANDS))
def whole(request, tmp_path_factory):
    """A command, and what it comes to when it is left alone."""
    place = tmp_path_factory.mktemp(request.param)
    words = [request.param, *COMMON, *FROZEN, *COMMANDS[request.param]]
    assert run(place, *words).returncode == 0
    return words, bits(place)


@pytest.mark.parametrize("epoch", [1, 2], ids=["frozen", "freed"])
def test_what_is_killed_goes_on_to_the_same_bits(whole, epoch, tmp_path):
    words, expected = whole
    with pytest.MonkeyPatch.context() as patch:
        kill(patch, epoch)
        with pytest.raises(Killed):
            run(tmp_path, *words)
    again = words if words[0] == "sweep" else [words[0], "--resume", "last"]
    done = run(tmp_path, *again)
    assert done.returncode == 0, done.stderr
    assert bits(tmp_path) == expected
    assert [len(each) for _, each in expected] == [3] * (1 if words[0] == "train" else 2)


def test_without_an_epoch_of_release_what_is_frozen_stays_in_trials_together(tmp_path):
    assert run(tmp_path, "sweep", *COMMON, "freeze=[hidden.0]", "seeds.init=5", "seed=0,1").returncode == 0
    weights = [load_file(p) for p in tmp_path.rglob("weights.safetensors") if p.parent.name == "best"]
    assert len(weights) == 2
    first, second = (each["hidden.0.linear.weight"] for each in weights)
    assert first.equal(second)
    assert not weights[0]["hidden.1.linear.weight"].equal(weights[1]["hidden.1.linear.weight"])
