"""What a component of the user's lacks is named when it is built."""

import re
from pathlib import Path

import pytest

from dlexp.build.check import check_model
from dlexp.build.contract import CONTRACTS, check
from dlexp.build.program import assemble
from dlexp.config.catalog import list_groups, read_option
from dlexp.config.resolve import resolve
from dlexp.config.signature import read
from dlexp.error import ConfigError

SOURCE = """
from torch import nn

class NoInit:
    def __init__(self, lr: float = 0.1): pass
class ShortUpdate(NoInit):
    def init(self, params): return {}
    def update(self, params): pass
class NoOutputs:
    def __call__(self, outputs, targets): return outputs.sum((1, 2))
class NoCall:
    num_outputs = 10
class NoScope: pass
class NoPenalty:
    scope, constraint = "flat", "none"
class NoProjection:
    scope, constraint = "none", "matrix"
class NoFeatures(nn.Module):
    gain = 1.0
    def forward(self, x): return x
class NoGain(nn.Module):
    def __init__(self, *, num_features): super().__init__()
    def forward(self, x): return x
class Demanding(NoGain):
    adds_bias = False
    def __init__(self, *, num_features, depth): super().__init__()
class NoFactor: pass
class NoFill: pass
class NoAugment: pass
class NoLoad: pass
class NoFit: pass
class NoForward(nn.Module):
    def __init__(self, *, in_shape, num_outputs): super().__init__()
class NoModule:
    def __init__(self, *, num_outputs): pass
    def forward(self, x): return x
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write an option of one of the classes above; return the program's configuration."""
    monkeypatch.chdir(tmp_path)
    Path("lacking_code.py").write_text(SOURCE)

    def call(group, name):
        Path("own", group).mkdir(parents=True)
        Path("own", group, "mine.yaml").write_text(f"_target_: lacking_code.{name}\n")
        words = ["trusted=[lacking_code]", f"{group}=mine", "tracking=none"]
        return resolve(words if group == "data" else [*words, "data.limit=40"], Path("own")).config

    return call


UPDATE = "update(params_TP, grads_TP, state, lr_T1, step, decay_P)"


@pytest.mark.parametrize(
    ("group", "name", "lack"),
    [
        ("optimizer", "NoInit", "which has no init(params_TP)"),
        ("optimizer", "ShortUpdate", f"whose update takes (params) where {UPDATE} is called"),
        ("loss", "NoOutputs", "which has no num_outputs"),
        ("loss", "NoCall", "which has no __call__(outputs_TNK, targets_TN)"),
        ("regularizer", "NoScope", "which has no scope"),
        ("regularizer", "NoPenalty", "which has no penalty(weight)"),
        ("regularizer", "NoProjection", "which has no project(weight)"),
        ("activation", "NoFeatures", "whose constructor has no keyword num_features"),
        ("activation", "NoGain", "which has no gain"),
        ("norm", "NoGain", "which has no adds_bias"),
        ("norm", "Demanding", "whose constructor needs depth, where the program gives only num_features"),
        ("schedule", "NoFactor", "which has no factor(step_S)"),
        ("init", "NoFill", "which has no fill(weight, generator, groups=)"),
        ("augment", "NoAugment", "which has no __call__(images, targets, generator)"),
        ("data", "NoLoad", "which has no load(task)"),
        ("normalize", "NoFit", "which has no fit(inputs, train)"),
        ("model", "NoForward", "which has no forward(x)"),
        ("model", "NoModule", "which is no torch.nn.Module"),
    ],
)
def test_what_is_lacking_is_named_with_the_page(write, group, name, lack):
    config = write(group, name)
    with pytest.raises(ConfigError) as refused:
        check_model(assemble(config))
    message = str(refused.value)
    assert message.startswith(f"{group}: got lacking_code.{name}, {lack}; ")
    assert "docs/configure.md, Your own components" in message
    assert ("`dlexp new" in message) == (group != "normalize")
    page = (Path(__file__).parents[2] / "docs" / "configure.md").read_text(encoding="utf-8")
    assert "\n## Your own components\n" in page


def test_every_kind_says_what_it_needs_on_the_page():
    page = (Path(__file__).parents[2] / "docs" / "configure.md").read_text(encoding="utf-8")
    section = page.partition("\n## Your own components\n")[2]
    for group, contract in CONTRACTS.items():
        row = next(line for line in section.splitlines() if line.startswith(f"| {group} |"))
        names = [re.split(r"[(=]", need)[0] for need in contract.needs]
        assert all(name in row for name in (*names, *contract.gives)), row


@pytest.mark.parametrize("group", CONTRACTS)
def test_shipped_options_are_given_what_their_constructors_ask_for(group):
    for option in list_groups()[group]:
        if "_target_" in (node := read_option(group, option)):
            assert set(read(node["_target_"]).program) <= {*CONTRACTS[group].gives, "task", "num_classes", "heads"}


def test_a_step_of_a_list_of_augmentations_is_checked():
    class Step:
        pass

    class Steps:
        steps = (Step(),)

        def __call__(self, images, targets, generator): ...

    with pytest.raises(ConfigError, match=r"Step, which has no __call__"):
        check("augment", Steps())
