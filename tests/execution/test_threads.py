"""How many CPU threads a run takes: timed only where the number is open, stored, and without a trace in its numbers."""

import json
import signal
from pathlib import Path

import pytest
import torch

from dlexp.build.program import assemble
from dlexp.config.resolve import resolve
from dlexp.engine.event import EpochEnd
from dlexp.engine.snapshot import snapshot
from dlexp.execution import threads
from dlexp.job.cv import cv
from dlexp.job.sweep import sweep
from dlexp.job.sweep.winner import recipe
from dlexp.job.train import train
from dlexp.run.folder import RunFolder

CONV = ["tracking=none", "trainer.device=cpu", "model=cnn", "model.widths=[2]", "data.limit=100", "optimizer=adam"]
RUN = [*CONV, "trainer.batch_size=5", "trainer.epochs=3"]  # 60 updates
DROPPING = ["dropout=inverted", "augment=noise", "trainer.ema=0.9", "schedule=plateau"]


class Clock:
    """Says what an update takes with a number of threads, does it all the same, and counts."""

    def __init__(self, **seconds: float) -> None:
        self.seconds, self.calls = seconds, []

    def __call__(self, update, count):
        update()
        self.calls.append(count)
        return self.seconds[f"of_{count}"]


@pytest.fixture
def clock(monkeypatch):
    """Two threads are there and twice as fast as one, by the clock's word."""
    clock = Clock(of_1=0.02, of_2=0.01)
    monkeypatch.setattr("dlexp.device.TORCH_THREADS", 2)
    monkeypatch.setattr(threads, "_seconds", clock)
    before = torch.get_num_threads()
    yield clock
    torch.set_num_threads(before)


def program(*overrides):
    keys = {text.partition("=")[0] for text in overrides}
    return assemble(resolve([*(text for text in RUN if text.partition("=")[0] not in keys), *overrides]).config)


def losses(built):
    return [event.metrics["train/loss"] for event in built.run.events() if isinstance(event, EpochEnd)]


def plain(tensors_and_state):
    tensors, state = tensors_and_state
    return {**tensors, **state["step"], **state["schedule"]}, {
        name: state[name] for name in ("epoch", "number", "sums")
    }


@pytest.mark.parametrize(
    "overrides", [[], DROPPING, ["trainer.precision=fp16", "trainer.accumulate=2", "trainer.epochs=6"]]
)
def test_what_was_timed_leaves_no_trace(clock, overrides):
    clock.seconds = {"of_1": 0.01, "of_2": 0.01}
    timed, untimed = program(*overrides), program("trainer.threads=1", *overrides)
    (tensors, rest), (expected, expected_rest) = (
        plain(snapshot(threads.settle_threads(timed).run)),
        plain(snapshot(untimed.run)),
    )
    assert clock.calls.count(1) == clock.calls.count(2) + 1 > 2
    assert rest == expected_rest
    assert tensors.keys() == expected.keys()
    assert all(torch.equal(value, expected[name]) for name, value in tensors.items())
    assert losses(timed) == losses(untimed)


@pytest.mark.parametrize(
    ("of_1", "of_2", "expected"), [(0.02, 0.01, 2), (0.0115, 0.01, 2), (0.0105, 0.01, 1), (0.01, 0.06, 1)]
)
def test_more_threads_are_taken_where_they_gain_a_tenth(clock, of_1, of_2, expected):
    clock.seconds = {"of_1": of_1, "of_2": of_2}
    built = threads.settle_threads(program())
    assert torch.get_num_threads() == expected
    assert f", {expected} thread" in built.device_line
    assert built.device_line.endswith(f"(an update takes {1e3 * of_1:.3g} ms with 1, {1e3 * of_2:.3g} ms with 2)")


@pytest.mark.parametrize(
    "overrides",
    [["trainer.threads=2"], ["trainer.threads=null"], ["model=mlp"], ["trainer.epochs=2"]],
    ids=["named", "left to torch", "small and dense", "short"],
)
def test_nothing_is_timed_where_there_is_nothing_to_win(clock, overrides):
    built = program(*overrides)
    assert threads.settle_threads(built) is built
    assert clock.calls == []


def test_the_clock_takes_its_share_of_the_run_and_no_more(clock):
    """3 % of 60 updates of 1 s are 1.8 s: one turn. A near tie of short updates in a long run is told by all turns."""
    clock.seconds = {"of_1": 1.0, "of_2": 1.1}
    spent = {1: [1.0], 2: [1.1]}
    assert threads._is_enough(spent, 2.1, 60)
    assert not threads._is_enough(spent, 2.1, 6000)
    assert not threads._is_enough({1: [0.01], 2: [0.1]}, 0.04, 6000)
    assert threads._is_enough({1: [0.01], 2: [0.1]}, 0.06, 6000)
    threads.settle_threads(program())
    assert len(clock.calls) <= 3 + 2 * threads.MOST_TURNS
    clock.seconds, clock.calls = {"of_1": 0.01, "of_2": 0.05}, []
    threads.settle_threads(program())
    assert clock.calls == [1, 2, 1, 2]


def test_a_run_goes_on_with_the_threads_that_it_chose(clock, tmp_path):
    def announce(_about):
        return lambda event: (
            signal.raise_signal(signal.SIGINT) if isinstance(event, EpochEnd) and event.epoch == 1 else None
        )

    outcome = train.start(resolve([*RUN, f"runs_dir={tmp_path}"]), announce=announce)
    folder = RunFolder.open(Path(outcome.result["run_dir"]))
    assert (folder.manifest["threads"], outcome.result["status"]) == (2, "interrupted")
    assert "an update takes 20 ms with 1, 10 ms with 2" in (folder.path / "log.txt").read_text()
    torch.set_num_threads(1)
    clock.seconds, clock.calls = {"of_1": 0.01, "of_2": 0.02}, []
    train.resume(folder.run_id, tmp_path, announce=lambda _about: lambda _event: None)
    assert (torch.get_num_threads(), clock.calls) == (2, [])


class Deaf:
    def listen(self, event):
        pass

    def close(self):
        pass


def test_a_sweep_chooses_once_for_its_trials_and_the_winner_is_trained_with_what_it_had(clock, tmp_path):
    command = [*RUN, "trainer.threads=auto", "optimizer.lr=0.001,0.01", "trainer.fuse=off", f"runs_dir={tmp_path}"]
    findings = sweep.start(command, None, announce=lambda _about: Deaf(), has_figures=False)
    result = findings.outcome.result
    manifests = [
        json.loads(path.read_text()) for path in tmp_path.rglob("manifest.json") if path.parent.parent.name == "trials"
    ]
    assert [manifest["threads"] for manifest in manifests] == [2, 2]
    assert clock.calls[:3] == [1, 2, 1]
    num_calls = len(clock.calls)
    sweep.start(command, None, announce=lambda _about: Deaf(), has_figures=False)
    assert len(clock.calls) == num_calls
    assert "trainer.threads=2" in recipe(result["run_id"], tmp_path, []).overrides
    assert "trainer.threads=1" in recipe(result["run_id"], tmp_path, ["trainer.threads=1"]).overrides


def test_a_cv_chooses_once_for_its_folds(clock, tmp_path):
    command = [*RUN, "trainer.threads=auto", "cv.k=2", "trainer.fuse=off", f"runs_dir={tmp_path}"]
    outcome = cv.start(command, announce=lambda _about: lambda _event: None, has_figures=False)
    folder = RunFolder.open(Path(outcome.result["run_dir"]))
    assert [folder.manifest["threads"], *(child.manifest["threads"] for child in folder.children())] == [2, 2, 2]
