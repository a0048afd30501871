"""A configuration tried without training: what fits passes, what does not is refused with the reason."""

import pytest
import torch
from torch import nn

from dlexp.build.dataset import load_data
from dlexp.build.probe import probe, reason_against, trace
from dlexp.config.resolve import resolve
from dlexp.error import ConfigError


def tried(*overrides: str):
    config = resolve(list(overrides)).config
    return config, load_data(config)


def test_the_parameters_are_counted():
    assert probe(*tried("model.widths=[8]", "norm=none")) == 64 * 8 + 8 + 8 * 10 + 10


def test_a_large_model_is_tried_on_the_meta_device_and_counted_all_the_same():
    assert probe(*tried("model.widths=[80000]", "norm=none")) == 64 * 80000 + 80000 + 80000 * 10 + 10


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["model=cnn", "norm=group", "norm.num_groups=5"], "5"),
        (["model=cnn", "model.kernel_size=[9]", "model.padding=[0]"], "model"),
        (["trainer.monitor=val/nothing"], "trainer.monitor: got val/nothing"),
        (["data=iris", "augment=cutout"], "cutout needs images"),
    ],
    ids=["groups", "window", "monitor", "augment"],
)
def test_what_cannot_work_has_a_reason_of_one_line(overrides, words):
    reason = reason_against(*tried(*overrides))
    assert words in reason
    assert "\n" not in reason


def test_nothing_speaks_against_what_works():
    assert reason_against(*tried()) == ""


def test_the_trace_counts_what_autograd_keeps():
    # y = W x + b keeps x for the weight's gradient, and the second layer its own input; ReLU shares its output with it
    model = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3))
    shape, num_bytes = trace(model, (6,), 8)
    assert shape == [8, 3]
    assert num_bytes == 4 * (8 * 6 + 8 * 5)
    assert next(model.parameters()).device.type == "cpu", "the model stays as it is"


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ConfigError, match=r"model: got a batch of shape \[4, 7\]"):
        trace(nn.Linear(6, 5), (7,), 4)


def test_trying_draws_nothing_from_torch_s_generator():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    probe(*tried())
    assert torch.equal(torch.get_rng_state(), before)
