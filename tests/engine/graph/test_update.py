"""Updates captured as graphs: the bits of the updates as they are, whatever changes between two of them."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from benchmarks.case import Case
from benchmarks.equality import configure, divide
from dlexp.build.components import components_of
from dlexp.build.program import Program, assemble, make_program
from dlexp.config.resolve import resolve
from dlexp.engine.event import EpochEnd, TrialEnd
from dlexp.engine.graph.update import MOST_KINDS, Captures
from dlexp.engine.snapshot import snapshot
from dlexp.error import EmptyGraph
from dlexp.optimizer.sgd import SGD
from tests.engine.graph.made import FORMS, program, spend_epoch
from tests.pretended.device import pretend
from tests.pretended.graph import Graph, capture


def needs_cuda(test):
    """Mark a test that runs on a GPU only."""
    skip = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
    return pytest.mark.gpu(skip(test))


@pytest.fixture(autouse=True)
def _no_progress(monkeypatch):
    monkeypatch.setattr("dlexp.engine.train.PROGRESS_SECONDS", float("inf"))


@pytest.mark.parametrize("form", FORMS)
def test_an_update_is_one_launch_from_its_second_on(form):
    with pretend() as log:
        built = program(form)
        update = built.run.one_update()
        update()
        assert log.replays == 0
        for done in (1, 2):
            log.clear()
            update()
            assert log.replays == 1
            if done == 2:
                assert sum(log.kernels.values()) <= 12, log.kernels  # of the batch, and copies into what a graph reads


def test_each_kind_of_update_is_captured_when_seen_again_up_to_the_most():
    with pretend() as log:
        built = program("graphed")
        captures = built.run.step.captures
        assert captures is not None
        replays = []
        for size in (8, 4, 6, 8, 4, 6):
            log.clear()
            other = program("graphed", **{"trainer.batch_size": str(size)})
            other.run.step = built.run.step
            other.run.sums = built.run.sums_in_hand()
            other.run.one_update()()
            replays.append(log.replays)
        assert replays == [0, 0, 0, 1, 1, 0]
        assert len(captures._updates) == MOST_KINDS


def test_a_cpu_captures_nothing():
    assert program("graphed", **{"trainer.device": "cpu"}).run.step.captures is None
    with pretend():
        assert program("solo", **{"trainer.cuda_graph": "false"}).run.step.captures is None


class Own(SGD):
    """A rule of the user's own, whose numbers Python computes of the step."""

    def update(self, params_TP, grads_TP, state, lr_T1, step, decay_P=None) -> None:
        assert isinstance(step, int)
        super().update(params_TP, grads_TP, state, lr_T1 / step, step, decay_P)


def test_a_rule_of_the_users_own_is_told_the_number_beside_a_graph_of_the_rest():
    def weights(device: str) -> dict[str, Tensor]:
        built = program("graphed", **{"trainer.device": device})
        object.__setattr__(built.run.step.rules, "optimizer", Own(lr=0.1))
        for epoch in (0, 1):
            spend_epoch(built, epoch)
        return {name: value.cpu() for name, value in built.run.step.forward.weights(1).items()}

    expected = weights("cpu")
    with pretend() as log:
        given = weights("cuda")
        assert log.replays
    assert all(torch.equal(given[name], value) for name, value in expected.items())


def test_a_loss_of_the_users_own_runs_as_it_is_and_says_why():
    class Counting:
        num_outputs = 10

        def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
            return outputs.square().mean((1, 2))

    with pretend() as log:
        built = program("graphed")
        object.__setattr__(built.run.step.rules, "loss", Counting())
        captures = built.run.step.captures = Captures(built.run.step)
        spend_epoch(built)
        assert log.replays == 0
        assert "loss" in captures.reason


def with_waiting(built: Program) -> Program:
    """Have each module ask the device for a number."""
    forward: Any = built.run.step.forward
    for model in forward.models:
        forwarded: Callable[..., Tensor] = model.forward
        model.forward = lambda x, forwarded=forwarded: forwarded(x) * (1 if x.sum().item() < 1e30 else 2)
    return built


def test_what_waits_is_told_once_and_runs_as_it_is(caplog):
    built = program("graphed", **{"trainer.device": "cpu"})
    for epoch in (0, 1):
        spend_epoch(built, epoch)
    expected = built.run.step.forward.weights(2)
    with pretend() as log:
        waiting = with_waiting(program("graphed"))
        with caplog.at_level(logging.WARNING):
            for epoch in (0, 1):
                spend_epoch(waiting, epoch)
        given = {name: value.cpu() for name, value in waiting.run.step.forward.weights(2).items()}
        assert log.replays == 0
    assert len(caplog.records) == 1
    assert "_local_scalar_dense" in caplog.records[0].getMessage()
    assert all(torch.equal(given[name], value) for name, value in expected.items())


class Misplaced(capture):
    """A capture of another device's stream than that on which the work is done."""

    def __enter__(self) -> None:
        with torch.cuda.stream(torch.cuda.Stream(1)):
            self.graph.capture_begin()


@pytest.mark.parametrize("form", FORMS)
def test_a_capture_of_nothing_ends_the_training(form, monkeypatch):
    """What trains nothing, in silence, is the fastest form of all; and the update that was to be captured has run."""
    with pretend(num_devices=2) as log:
        strayed = program(form)
        monkeypatch.setattr(torch.cuda, "graph", Misplaced)
        with pytest.raises(EmptyGraph, match=r"empty: .* another stream or device; trainer.cuda_graph=false"):
            spend_epoch(strayed)
        monkeypatch.undo()
        assert log.replays == 0


def test_memory_that_runs_out_in_a_capture_parts_trials_and_leaves_one_as_it_is(monkeypatch, caplog):
    end = Graph.capture_end

    def run_out(graph: Graph) -> None:
        end(graph)
        raise torch.OutOfMemoryError("CUDA out of memory")

    alone = program("solo", **{"trainer.device": "cpu"})
    spend_epoch(alone)
    with pretend() as log:
        monkeypatch.setattr(Graph, "capture_end", run_out)
        with pytest.raises(torch.OutOfMemoryError):  # whoever trains the trials parts them
            spend_epoch(program("graphed"))
        built = program("solo")
        with caplog.at_level(logging.WARNING):
            spend_epoch(built)
        assert log.replays == 0
        given = {name: value.cpu() for name, value in built.run.step.forward.weights(0).items()}
    assert [record.getMessage() for record in caplog.records] == [
        "updates are not replayed as a graph: CUDA out of memory"
    ]
    assert all(torch.equal(given[name], value) for name, value in alone.run.step.forward.weights(0).items())


def test_graphs_are_gone_after_closing():
    with pretend():
        before = Graph.live
        built = program("batched")
        spend_epoch(built)
        assert Graph.live > before
        built.run.keep([0, 2])
        assert Graph.live == before


def ends_of(built: Program) -> tuple[dict[int, dict[str, Tensor]], dict[int, list[dict[str, float]]], list[int]]:
    """Return each trial's last weights and metrics, and the rows of the program at each epoch's end."""
    weights, metrics, rows = {}, {}, []
    for event in built.run.events():
        if isinstance(event, EpochEnd):
            metrics.setdefault(event.trial, []).append(event.metrics)
            rows.append(built.run.step.num_trials)
        if isinstance(event, TrialEnd):
            row = built.run.trials.index(event.trial)
            weights[event.trial] = {name: value.cpu() for name, value in snapshot(built.run, row)[0].items()}
    return weights, metrics, rows


@pytest.mark.parametrize("form", ["graphed", "batched", "vmapped"])
@pytest.mark.parametrize("overrides", [{}, {"trainer.ema": "0.5", "schedule": "plateau", "norm": "batch"}], ids=str)
def test_rows_of_trials_that_are_over_idle_until_a_quarter_does(form, overrides):
    """Of nine trials one diverges in the first epoch, two more stop after the second: one idles, then six rows stay."""
    rates = ["0.02", "1.0e+30", "1.0e-12", "0.03", "1.0e-12", "0.05", "0.04", "0.01", "0.06"]
    trials = [{"seed": str(seed), "optimizer.lr": rate} for seed, rate in enumerate(rates)]
    common = {"model": "mlp", "model.widths": "[6]", "data.limit": "90", "trainer.min_delta": "1e-9"}
    chosen = {**common, "trainer.patience": "1", "trainer.epochs": "4", "trainer.monitor": "train/loss", **overrides}

    def made(device: str) -> Program:
        configs = configure(Case("some", {**chosen, "trainer.device": device}, trials), "fp32")
        return make_program(components_of(configs, divide(Case("some", chosen, trials), configs)), form)

    expected, expected_metrics, dropped = ends_of(made("cpu"))
    with pretend():
        given, metrics, rows = ends_of(made("cuda"))
    assert dropped[0] == 8
    assert rows[0] == 9
    assert rows[-1] == dropped[-1] <= 6
    assert given.keys() == expected.keys()
    del expected[1]  # whose weights are beyond all bounds
    for trial, weights in expected.items():
        for there, here in zip(metrics.get(trial, []), expected_metrics.get(trial, []), strict=True):
            assert there == pytest.approx(here, rel=1e-4)  # how many rows there are may change how a sum rounds
        for name, value in weights.items():
            if form == "graphed":
                assert torch.equal(given[trial][name], value)
            torch.testing.assert_close(given[trial][name], value, rtol=1e-4, atol=1e-6)


@needs_cuda
@pytest.mark.parametrize(
    "overrides",
    [
        ["model=mlp"],
        ["model=cnn", "dropout=inverted", "optimizer=adam"],
        ["model=cnn", "trainer.precision=bf16"],
        ["model=mlp", "trainer.precision=fp16"],
        ["model=mlp", "trainer.accumulate=2", "trainer.grad_clip=1", "trainer.ema=0.9"],
        ["model=cnn", "augment=flip_crop"],
        ["model=mlp", "schedule=plateau", "optimizer=adamw", "dropout=inverted", "trainer.accumulate=2"],
    ],
    ids=" ".join,
)
def test_a_run_alone_has_the_bits_it_has_layer_by_layer(overrides):
    def train(is_graph: bool) -> tuple[dict[str, Tensor], list[dict[str, float]]]:
        common = ["data.limit=100", "trainer.epochs=2", "tracking=none", "trainer.device=cuda"]
        run = assemble(resolve([*common, *overrides, f"trainer.cuda_graph={str(is_graph).lower()}"]).config).run
        captures = run.step.captures
        assert (captures is not None) == is_graph
        metrics, weights, was_replayed = [], {}, False
        for event in run.events():
            if isinstance(event, EpochEnd):
                metrics.append(event.metrics)
                was_replayed = captures is not None and captures.is_replayed
            if isinstance(event, TrialEnd):
                weights = snapshot(run, 0)[0]
        assert was_replayed == is_graph
        assert not (captures and (captures.reason or captures.is_replayed))  # what comes after has their memory
        return weights, metrics

    (weights, metrics), (expected, expected_metrics) = train(True), train(False)
    assert metrics == expected_metrics
    assert all(torch.equal(value, weights[name]) for name, value in expected.items())


@needs_cuda
def test_what_waits_on_a_card_is_told_once_and_the_card_works_on(caplog):
    built = with_waiting(program("graphed"))
    with caplog.at_level(logging.WARNING):
        for epoch in (0, 1):
            spend_epoch(built, epoch)
    assert len(caplog.records) == 1
    assert all(value.isfinite().all() for value in built.run.step.forward.weights(2).values())


@needs_cuda
def test_the_memory_of_graphs_is_free_after_closing():
    sizes = {"model.widths": "[1024,1024,1024]", "data.limit": "1700", "trainer.batch_size": "1024"}
    for is_measured in (False, True):  # libraries take their workspaces once
        built = program("graphed", **sizes)
        update = built.run.one_update()
        update()
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
        before = torch.cuda.memory_reserved()
        update()
        during = torch.cuda.memory_reserved()
        assert built.run.step.captures is not None
        built.run.step.captures.close()
        torch.cuda.empty_cache()
        if is_measured:
            assert during > before + 2**20
            assert torch.cuda.memory_reserved() < before + 2**26
