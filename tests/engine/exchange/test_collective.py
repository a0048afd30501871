"""The exchange by torch.distributed, in a group of one; tests/job/train/test_devices.py has two processes."""

import pytest
import torch
import torch.distributed as dist
from torch import nn

from dlexp.dropout import Inverted
from dlexp.engine.exchange.collective import Collective
from dlexp.engine.exchange.share import Share
from dlexp.error import PeerLost
from dlexp.norm import BatchNorm


@pytest.fixture
def exchange(tmp_path):
    dist.init_process_group("gloo", init_method=f"file://{tmp_path / 'store'}", rank=0, world_size=1)
    yield Collective()
    dist.destroy_process_group()


def test_a_group_of_one_sums_to_itself(exchange):
    values = torch.arange(6.0).view(2, 3)
    assert torch.equal(exchange.sum(values.clone()), values)
    assert torch.equal(exchange.stack(values), values[None])
    assert exchange.any(False, True) == (False, True)
    assert (exchange.beats, exchange.is_over) == (3, False)
    assert exchange.any(True, False) == (True, False)
    assert exchange.is_over


def test_layers_are_told_where_examples_stand(exchange):
    net = nn.Sequential(BatchNorm(sync=True, num_features=3), Inverted(0.5))
    exchange.connect(net, 1)
    assert (exchange.least, exchange.has_synced) == (1, True)
    exchange.place(Share(first=4, whole=9))
    assert (net[1].first, exchange.counts) == (4, [9])
    exchange.connect(net, 2)  # pairs: layers see both inputs of each
    exchange.place(Share(first=4, whole=9))
    assert (net[1].first, exchange.counts) == (8, [18])


@pytest.mark.parametrize("norm", [BatchNorm(num_features=3), nn.BatchNorm1d(3)])
def test_batch_norm_by_device_needs_two_inputs(exchange, norm):
    for each, least in ((1, 2), (2, 1)):
        exchange.connect(nn.Sequential(norm), each)
        assert (exchange.least, exchange.has_apart, exchange.has_synced) == (least, True, False)


def test_a_lost_process_is_one_line(exchange, monkeypatch):
    def lose(*_):
        raise RuntimeError("Connection closed by peer [127.0.0.1]:4")

    monkeypatch.setattr(dist, "all_reduce", lose)
    why = r"ended or was lost \(Connection closed by peer \[127.0.0.1\]:4\); the last checkpoint is intact"
    with pytest.raises(PeerLost, match=why):
        exchange.sum(torch.zeros(1))


@pytest.mark.parametrize("message", ["CUDA out of memory. Tried to allocate 2.00 MiB.", "CUDA error: unspecified"])
def test_a_fault_of_its_own_device_is_no_other_process_s(exchange, monkeypatch, message):
    def fail(*_):
        raise RuntimeError(message)

    monkeypatch.setattr(dist, "all_reduce", fail)
    with pytest.raises(RuntimeError) as caught:
        exchange.sum(torch.zeros(1))
    assert not isinstance(caught.value, PeerLost)
