"""Passes captured as CUDA graphs: the bits of the modules that they replay, nothing else changed, freed when told."""

import logging

import pytest
import torch
from torch import Tensor, nn

from dlexp.build.program import assemble
from dlexp.config.resolve import resolve
from dlexp.engine.event import EpochEnd, TrialEnd
from dlexp.engine.graph import MOST_KINDS, Captures, _Root
from dlexp.engine.snapshot import snapshot


def needs_cuda(test):
    """Mark a test that runs on a GPU only."""
    skip = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
    return pytest.mark.gpu(skip(test))


def captures_of(models: list[nn.Module]) -> Captures:
    parameters = [list(model.parameters()) for model in models]
    grads: list[list[Tensor]] = [[torch.zeros_like(p) for p in row] for row in parameters]
    return Captures(models, [list(row) for row in parameters], grads)


def nets(num: int) -> list[nn.Module]:
    torch.manual_seed(0)
    made = [nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3)) for _ in range(num)]
    return [net.to("cuda" if torch.cuda.is_available() else "cpu") for net in made]


def test_root_hands_the_given_gradients_on_to_each_head():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(5, 4, generator=generator)
    trunk, heads = nn.Linear(4, 6), [nn.Linear(6, 3), nn.Linear(6, 2)]
    given = [torch.randn(5, 3, generator=generator), torch.randn(5, 2, generator=generator)]
    parameters = [*trunk.parameters(), *heads[0].parameters(), *heads[1].parameters()]

    def outputs() -> list[Tensor]:
        hidden = trunk(x).tanh()
        return [head(hidden) for head in heads]

    expected = torch.autograd.grad(outputs(), parameters, given)
    root = _Root.apply(given, *outputs())
    assert all(torch.equal(a, b) for a, b in zip(torch.autograd.grad(root, parameters), expected, strict=True))


def test_a_cpu_captures_nothing():
    net = nn.Linear(2, 2)
    assert captures_of([net]).passes(torch.zeros(3, 2), is_shared=True) is None


@needs_cuda
class TestCaptured:
    def test_outputs_and_gradients_are_those_of_each_module(self):
        models = nets(3)
        twins = nets(3)
        parameters = [list(model.parameters()) for model in models]
        grads: list[list[Tensor]] = [[torch.zeros_like(p) for p in row] for row in parameters]
        captures = Captures(models, [list(row) for row in parameters], grads)
        for _ in range(3):
            x = torch.randn(3, 16, 6, device="cuda")
            passes = captures.passes(x, is_shared=False)
            assert passes is not None
            outputs = passes(x)
            assert isinstance(outputs, Tensor)
            outputs.square().sum().backward()
            for row, twin in enumerate(twins):
                output = twin(x[row])
                output.square().sum().backward()
                assert torch.equal(output, outputs[row])
                for given, parameter in zip(grads[row], twin.parameters(), strict=True):
                    assert parameter.grad is not None
                    assert torch.equal(given, parameter.grad)
                for buffer, expected in zip(models[row].buffers(), twin.buffers(), strict=True):
                    assert torch.equal(buffer, expected)

    def test_outputs_outlive_the_next_batch(self):
        captures = captures_of(nets(2))
        x = torch.randn(8, 6, device="cuda")
        passes = captures.passes(x, is_shared=True)
        assert passes is not None
        first = passes(x)
        assert isinstance(first, Tensor)
        seen = first.detach().clone()
        passes(x + 1)
        assert torch.equal(first, seen)

    def test_other_kinds_are_captured_when_seen_again_up_to_the_most(self):
        captures = captures_of(nets(1))

        def are_captured() -> list[bool]:
            batches = [torch.zeros(n, 6, device="cuda") for n in (8, 4, 6)]
            return [captures.passes(batch, is_shared=True) is not None for batch in batches]

        assert are_captured() == [True, False, False]
        assert are_captured() == [True] * MOST_KINDS + [False]

    def test_a_module_that_waits_is_told_once_and_not_captured(self, caplog):
        class Waiting(nn.Linear):
            def forward(self, input: Tensor) -> Tensor:
                return super().forward(input) * (1 if input.sum().item() > 0 else 2)

        captures = captures_of([Waiting(6, 2).cuda()])
        with caplog.at_level(logging.WARNING):
            for _ in range(2):
                assert captures.passes(torch.ones(4, 6, device="cuda"), is_shared=True) is None
        assert len(caplog.records) == 1
        assert torch.ones(3, device="cuda").sum().item() == 3  # the device works on

    def test_nothing_is_captured_in_evaluation(self):
        model = nets(1)[0].eval()
        assert captures_of([model]).passes(torch.zeros(4, 6, device="cuda"), is_shared=True) is None

    def test_memory_is_free_after_closing(self):
        model = nn.Sequential(*[nn.Linear(2048, 2048) for _ in range(4)]).cuda()
        captures = captures_of([model])
        assert captures.passes(torch.zeros(8192, 2048, device="cuda"), is_shared=True) is not None
        captures.close()  # libraries have their workspaces now
        captures = captures_of([model])
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
        before = torch.cuda.memory_reserved()
        assert captures.passes(torch.zeros(8192, 2048, device="cuda"), is_shared=True) is not None
        assert torch.cuda.memory_reserved() > before + 4 * 8192 * 2048 * 4
        captures.close()
        torch.cuda.empty_cache()
        assert torch.cuda.memory_reserved() < before + 2**26


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
    ],
    ids=" ".join,
)
def test_a_run_alone_has_the_bits_it_has_layer_by_layer(overrides):
    def train(is_graph: bool) -> tuple[dict[str, Tensor], list[dict[str, float]]]:
        common = ["data.limit=100", "trainer.epochs=2", "tracking=none", "trainer.device=cuda"]
        run = assemble(resolve([*common, *overrides, f"trainer.cuda_graph={str(is_graph).lower()}"]).config).run
        metrics, weights = [], {}
        for event in run.events():
            if isinstance(event, EpochEnd):
                metrics.append(event.metrics)
            if isinstance(event, TrialEnd):
                weights = snapshot(run, 0)[0]
        return weights, metrics

    (weights, metrics), (expected, expected_metrics) = train(True), train(False)
    assert metrics == expected_metrics
    assert all(torch.equal(value, weights[name]) for name, value in expected.items())
