"""Which form of stack a model bears is tried, not believed."""

import pytest
import torch
from torch import nn

from dlexp.engine.stack.kind import AGAIN, batch_obstacle, stack_kinds
from dlexp.engine.stack.vmapped import find_obstacle
from dlexp.model.recompute import recomputed


class MixesExamples(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 2)

    def forward(self, x):
        return self.layer(x - x.mean(0))


class OwnParameter(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(4))
        self.inner = nn.Sequential(nn.Linear(4, 2))

    def forward(self, x):
        return self.inner(x * self.scale)


class Branches(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 2)

    def forward(self, x):
        return self.layer(x) if x.sum() > 0 else -self.layer(x)


def test_plain_layers_fold():
    model = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.LayerNorm(6), nn.Linear(6, 2))
    assert "LayerNorm" in (batch_obstacle(model, (4,)) or "")  # torch's own layer norm is no group norm
    del model[3]
    assert stack_kinds(model, (4,)) == (["batched", "vmapped"], "")


def test_code_that_mixes_examples_is_mapped_instead():
    assert batch_obstacle(MixesExamples(), (4,)) == "its code mixes the examples of a batch"
    assert find_obstacle(MixesExamples(), (4,)) is None


def test_a_users_own_parameter_is_mapped_instead():
    kinds, reasons = stack_kinds(nn.Sequential(OwnParameter()), (4,))
    assert kinds == ["vmapped"]
    assert "OwnParameter" in reasons


def test_a_branch_on_data_cannot_be_stacked_and_says_why():
    kinds, reasons = stack_kinds(Branches(), (4,))
    assert kinds == []
    assert "vmapped" in reasons
    assert "batched" in reasons


@pytest.mark.parametrize("layer", [nn.Conv2d(1, 2, 3), nn.Conv2d(1, 2, 3, padding=1, padding_mode="reflect")])
def test_convolutions_fold_and_are_mapped(layer):
    model = nn.Sequential(layer, nn.BatchNorm2d(2), nn.Flatten(), nn.LazyLinear(2))
    model(torch.zeros(2, 1, 8, 8))
    assert stack_kinds(model, (1, 8, 8)) == (["batched", "vmapped"], "")


class Again(nn.Module):
    """Batch norm that is computed again in the backward pass."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(1)

    def forward(self, x):
        return recomputed(self.norm, x)


def test_statistics_that_a_backward_pass_changes_are_noticed():
    model = nn.Sequential(nn.Conv2d(1, 1, 3), Again(), nn.Flatten(), nn.Linear(36, 2))
    assert batch_obstacle(model, (1, 8, 8)) == AGAIN
