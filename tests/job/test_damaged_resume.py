"""A run, sweep or cv that was interrupted, with one file damaged: going on gives the same numbers, or one line.

The line names file, fault and cure. Where something can be trained anew, or an earlier checkpoint is there, it is used.
"""

import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dlexp.config.resolve import resolve
from dlexp.error import DlexpError
from dlexp.job import interrupt
from dlexp.job.cv import cv
from dlexp.job.sweep import sweep
from dlexp.job.train import train
from tests.job.test_damaged import damage

QUICK = ["data=wine", "tracking=none", "trainer.threads=1", "trainer.epochs=3", "model.widths=[4]", "trainer.fuse=off"]
KINDS = ("list", "flipped", "deleted", "folder")
ABOUT = ("seconds", "run_id", "run_dir", "epoch_seconds", "time", "programs", "groups", "command")


class Stop:
    """A listener that has the job interrupted at one of its events."""

    def __init__(self, after: int = 0):
        self.waiting = after

    def listen(self, event: object) -> None:
        self.waiting -= 1
        if self.waiting == 0:
            interrupt.wish_to_stop(signal.SIGINT)

    def __call__(self, event: object) -> None:
        self.listen(event)

    def close(self) -> None:
        pass


@dataclass(frozen=True)
class Job:
    """How a kind of job is begun and gone on with."""

    begin: Callable[[Path], Any]
    go_on: Callable[[Path], Any]


def numbers(content: Any) -> Any:
    """Return a document without what differs between equal runs."""
    if isinstance(content, dict):
        return {key: numbers(value) for key, value in content.items() if key not in ABOUT}
    return [numbers(value) for value in content] if isinstance(content, list) else content


JOBS = {
    "train": Job(
        lambda runs: train.start(resolve([*QUICK, f"runs_dir={runs}"]), announce=lambda _: Stop(2)).result,
        lambda folder: train.resume(str(folder), folder.parent.parent, announce=lambda _: Stop()).result,
    ),
    "sweep": Job(
        lambda runs: (
            sweep.start(
                [*QUICK, "optimizer.lr=0.01,0.1", f"runs_dir={runs}"],
                None,
                announce=lambda _: Stop(7),
                has_figures=False,
            ).outcome.result
        ),
        lambda folder: (
            sweep.resume(
                str(folder), folder.parent.parent, None, announce=lambda _: Stop(), has_figures=False
            ).outcome.result
        ),
    ),
    "cv": Job(
        lambda runs: (
            cv.start([*QUICK, "cv.k=2", f"runs_dir={runs}"], announce=lambda _: Stop(1), has_figures=False).result
        ),
        lambda folder: (
            cv.resume(str(folder), folder.parent.parent, announce=lambda _: Stop(), has_figures=False).result
        ),
    ),
}
OF_A_RUN = (
    "config.yaml",
    "manifest.json",
    "overrides.txt",
    "result.json",
    "metrics.jsonl",
    "epochs.bits",
    "log.txt",
    "lock",
    "model.json",
    "split.npz",
    "checkpoints/best/weights.safetensors",
    "checkpoints/last/manifest.json",
    "checkpoints/last/state.pt",
)
OF_A_TRIAL = ("manifest.json", "config.yaml", "metrics.jsonl", "epochs.bits", "checkpoints/last/state.pt")
OF_ITS_HOLDER = ("config.yaml", "manifest.json", "overrides.txt", "result.json", "lock")
CASES = [
    *(("train", file) for file in OF_A_RUN),
    *(("sweep", file) for file in OF_ITS_HOLDER),
    *(("sweep", f"trials/*/{file}") for file in OF_A_TRIAL),
    *(("cv", file) for file in OF_ITS_HOLDER),
    *(("cv", f"folds/*/{file}") for file in OF_A_TRIAL if file != "epochs.bits"),
]


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """Each job, interrupted: its folder, and what it gives when nothing is damaged."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _descriptor: None)
        made = {}
        for name, job in JOBS.items():
            place = tmp_path_factory.mktemp(name)
            result = job.begin(place / "runs")
            assert result["status"] == "interrupted"
            folder = Path(result["run_dir"])
            made[name] = folder, numbers(job.go_on(copy(folder, place / "whole")))
        yield made


def copy(folder: Path, place: Path) -> Path:
    runs = folder.parent.parent
    return shutil.copytree(runs, place) / folder.relative_to(runs)


def different(answer: Any, expected: Any) -> list[str]:
    """Return the first level's differences."""
    return [f"{key}: {answer.get(key)} for {expected.get(key)}" for key in expected if answer.get(key) != expected[key]]


@pytest.mark.parametrize(("name", "file"), CASES)
def test_the_same_numbers_or_one_line(begun, tmp_path, name, file):
    folder, expected = begun[name]
    paths = [path.relative_to(folder) for path in sorted(folder.glob(file))]
    assert paths
    faults = []
    for kind in KINDS:
        for path in paths[-1:]:
            here = copy(folder, tmp_path / kind / str(len(faults)) / path.parent.name)
            damage(here / path, kind)
            try:
                answer = numbers(JOBS[name].go_on(here))
            except DlexpError as error:
                message = str(error)
                is_told = "\n" not in message and ";" in message and str(path.name) in message
                if not is_told or error.exit_code not in (1, 2):
                    faults.append(f"{path} {kind}: {message!r}")
            except BaseException as error:
                faults.append(f"{path} {kind}: {type(error).__name__}: {error}")
            else:
                if answer != expected:
                    faults.append(f"{path} {kind}: other numbers: {different(answer, expected)}")
            shutil.rmtree(tmp_path / kind)
    assert faults == []
