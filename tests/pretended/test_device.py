"""The pretended device itself: what it refuses, counts and replays."""

import pytest
import torch
from torch import nn

from tests.pretended.device import pretend
from tests.pretended.log import DeviceMismatch, NotInCapture


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(108, 4))


def passed(model: nn.Module, x: torch.Tensor) -> list[torch.Tensor]:
    model(x).square().mean().backward()
    return [p.grad for p in model.parameters() if p.grad is not None]


def test_a_training_pass_has_the_bits_of_the_cpu():
    x = torch.randn(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    expected = passed(network(), x)
    model = network()
    with pretend() as log:
        gradients = [grad.cpu() for grad in passed(model.to("cuda"), x.to("cuda"))]
        assert log.kernels["convolution"] == 1
    assert len(gradients) == 6
    assert all(torch.equal(a, b) for a, b in zip(gradients, expected, strict=True))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_has_the_bits_of_the_cpu(dtype):
    x = torch.randn(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.autocast("cpu", dtype=dtype):
        expected = network()(x)
    model = network()
    with pretend():
        model.to("cuda")
        with torch.autocast("cuda", dtype=dtype):
            outputs = model(x.to("cuda"))
        assert outputs.dtype == dtype
        assert torch.equal(outputs.cpu(), expected)


def test_what_a_card_refuses_is_refused():
    with pretend(num_devices=2):
        a = torch.ones(3, device="cuda")
        with pytest.raises(DeviceMismatch, match=r"aten.add got cuda:0\[3\], cpu\[3\]"):
            a.add(torch.ones(3))
        with pytest.raises(DeviceMismatch, match="cuda:1"):
            a.add(torch.ones(3, device="cuda:1"))
        with pytest.raises(RuntimeError, match="'cuda' device type for generator"):
            torch.rand(3, device="cuda", generator=torch.Generator())
        with pytest.raises(TypeError, match=r"Tensor.cpu\(\)"):
            a.numpy()
        assert (a + torch.tensor(1.0)).tolist() == [2, 2, 2]  # a number of no dimension is no mixture


def test_waits_are_counted_and_refused_in_a_capture():
    with pretend() as log:
        a = torch.ones(3, device="cuda")
        assert log.num_waits == 0
        a.sum().item()
        a[torch.tensor([0, 1])]
        a[a > 0]
        assert dict(log.waits) == {"_local_scalar_dense": 1, "copy of an index to the device": 1, "nonzero": 1}
        graph = torch.cuda.CUDAGraph()
        with pytest.raises(NotInCapture, match="_local_scalar_dense"), torch.cuda.graph(graph):
            a.sum().item()


def test_a_capture_of_nothing_is_warned_of():
    with pretend(num_devices=2):
        a, graph = torch.ones(3, device="cuda:1"), torch.cuda.CUDAGraph()
        with pytest.warns(UserWarning, match="The CUDA Graph is empty"), torch.cuda.graph(graph):
            a.add_(1)


def test_a_capture_computes_nothing_and_a_replay_does():
    with pretend() as log:
        a, total = torch.ones(3, device="cuda"), torch.zeros(3, device="cuda")
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            doubled = a * 2
            total += doubled
        assert total.tolist() == [0, 0, 0]
        assert doubled.isnan().all()
        a += 1
        for _ in range(2):
            graph.replay()
        assert doubled.tolist() == [4, 4, 4]
        assert total.tolist() == [8, 8, 8]
        assert log.replays == 2


def test_a_capture_holds_what_its_own_streams_got():
    with pretend(num_devices=2):
        a, b = torch.ones(3, device="cuda"), torch.ones(3, device="cuda:1")
        graph, side = torch.cuda.CUDAGraph(), torch.cuda.Stream()
        with torch.cuda.graph(graph):
            b += 1  # of another device: done now, and never again
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                a += 1
            torch.cuda.current_stream().wait_stream(side)
        graph.replay()
        assert a.tolist() == b.tolist() == [2, 2, 2]
        with pytest.raises(NotInCapture, match="unjoined"), torch.cuda.graph(torch.cuda.CUDAGraph()):
            side.wait_stream(torch.cuda.current_stream())
