"""Sizes are refused on shapes, before memory is taken: expectations counted by hand."""

import pytest
import torch
from torch import nn

from dlexp import device as devices
from dlexp.build.node import build
from dlexp.build.room import LARGE_BATCH, ROWS_CPU, num_bytes, require_room
from dlexp.config.resolve import resolve
from dlexp.error import ConfigError

CPU = torch.device("cpu")


@pytest.fixture
def gigabyte_free(monkeypatch):
    monkeypatch.setattr(devices, "free_bytes", lambda _device: 2**30)


def ask(*overrides: str, in_shape=(64,), num_trials=1, batch_size=32) -> None:
    config = resolve(list(overrides)).config
    optimizer = build(config["optimizer"])
    require_room(config, in_shape, 10, optimizer, num_trials, batch_size, torch.float32, CPU)


@pytest.mark.parametrize(("rule", "states"), [("sgd", 0), ("momentum", 1), ("adam", 2), ("rmsprop", 1)])
def test_bytes_are_those_of_all_rows_of_all_trials(rule, states):
    with torch.device("meta"):
        model = nn.Linear(9, 4)  # 40 parameters
    optimizer = build(resolve([f"optimizer={rule}"]).config["optimizer"])
    assert num_bytes(model, optimizer, 3, torch.float32, rows=7) == 3 * 40 * 4 * (7 + states)
    assert num_bytes(model, optimizer, 1, torch.float64, rows=2) == 40 * 8 * (2 + states)


def test_a_model_beyond_the_free_memory_is_refused_with_both_sizes(gigabyte_free):
    # 64 x 10^6 + 10^6 x 10 weights and 10^6 + 10 biases; without normalisation
    needed = (75_000_010 * 4 * ROWS_CPU) / 2**30
    message = rf"^model: got sizes .* need {needed:.1f} GiB; 1.0 GiB are free on cpu: choose a smaller model"
    with pytest.raises(ConfigError, match=message):
        ask("model.widths=[1000000]", "norm=none")


def test_trials_of_a_program_count_together(gigabyte_free):
    ask("model.widths=[100000]", "norm=none")
    with pytest.raises(ConfigError, match="GiB"):
        ask("model.widths=[100000]", "norm=none", num_trials=20)


@pytest.mark.parametrize("widths", ["[4000000000,4000000000]", "[9223372036854775807,2]"])
def test_sizes_beyond_what_a_count_may_be_are_refused(widths):
    with pytest.raises(
        ConfigError, match=r"model\.widths: got .*; a list of integers from 1 to 1,000,000,000 is needed"
    ):
        ask(f"model.widths={widths}")


def test_sizes_whose_product_cannot_be_counted_are_refused():
    # 3 x 3 kernels between 10^9 channels: 9 x 10^18 weights of 4 bytes
    with pytest.raises(ConfigError, match="beyond 2\\^63"):
        ask("data=fake", "model=cnn", "model.channels=[1000000000,1000000000]", in_shape=(3, 32, 32))


def test_a_small_model_does_not_ask_for_the_free_memory(monkeypatch):
    def fail(_device: torch.device) -> int:
        raise AssertionError("asked")

    monkeypatch.setattr(devices, "free_bytes", fail)
    ask()


def test_a_large_batch_is_refused_by_what_layers_put_out(gigabyte_free):
    shape = (3, 1000, 1000)
    batch_size = LARGE_BATCH // (3 * 1000 * 1000) + 1
    with pytest.raises(ConfigError, match=r"^trainer.batch_size: got 3; .* need .* choose a smaller batch"):
        ask("data=fake", "model=cnn", in_shape=shape, batch_size=batch_size)
    ask("data=fake", "model=cnn", in_shape=(3, 32, 32), batch_size=batch_size)


class Counting(nn.Module):
    def __init__(self, num_outputs: int) -> None:
        super().__init__()
        self.layer = nn.Linear(int(torch.tensor(8.0).item()), num_outputs)  # needs a number


def test_a_model_that_computes_with_numbers_is_let_through(monkeypatch, gigabyte_free):
    def make(*_arguments: object, **_options: object) -> nn.Module:
        return Counting(10)

    monkeypatch.setattr("dlexp.build.model.build_module", make)
    ask()
