"""Nodes become objects: the only caller of a target."""

import pytest
import torch

from dlexp.build.node import build, build_per_trial, factory, is_per_trial
from dlexp.config import trust
from dlexp.config.signature import read
from dlexp.error import ConfigError
from dlexp.optimizer.momentum import Momentum
from dlexp.type import PerTrial, Positive

NODE = {"_target_": "dlexp.optimizer.momentum.Momentum", "lr": 0.5, "momentum": 0.25}


def test_build_passes_the_users_values():
    rule = build(NODE)
    assert type(rule) is Momentum
    assert (rule.lr, rule.momentum, rule.weight_decay) == (0.5, 0.25, 0.0)


def test_build_offers_the_program_s_parameters_to_those_that_name_them():
    node = {"_target_": "dlexp.init.KaimingNormal", "mode": "fan_out", "gain": "activation"}
    init = build(node, activation_gain=2.0, total_steps=5)
    assert (init.mode, init.gain) == ("fan_out", 2.0)


def test_factory_makes_a_new_object_each_time():
    make = factory({"_target_": "dlexp.norm.BatchNorm", "eps": 0.5})
    first, second = make(num_features=2), make(num_features=3)
    assert first is not second
    assert make.keywords == {"eps": 0.5}


def test_nested_nodes_are_built_first():
    steps = [{"_target_": "dlexp.augment.cutout.Cutout"}, {"_target_": "dlexp.augment.blur.Blur"}]
    augment = build({"_target_": "dlexp.augment.compose.Compose", "steps": steps})
    assert [type(step).__name__ for step in augment.steps] == ["Cutout", "Blur"]


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        (
            "import nowhere_at_all",
            "X",
            "_target_: got built_x.X; importing it failed: No module named 'nowhere_at_all'",
        ),
        ("from os import system as X", "X", "_target_: got built_x.X; X is not defined in built_x"),
        ("X = 3", "X", "_target_: got built_x.X; X is not defined in built_x"),
    ],
)
def test_refusals(tmp_path, monkeypatch, source, target, message):
    (tmp_path / "built_x.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "built_x", raising=False)
    trust.grant(["built_x"])
    with pytest.raises(ConfigError) as caught:
        factory({"_target_": f"built_x.{target}"})
    monkeypatch.delitem(__import__("sys").modules, "built_x", raising=False)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "target", ["subprocess.Popen", "os.system", "torch.load", "dlexp.disk.durable.write_bytes", "json.loads"]
)
def test_only_components_are_built(target):
    with pytest.raises(ConfigError, match="_target_: got"):
        build({"_target_": target})


def test_build_per_trial_stacks_what_may_differ():
    nodes = [{**NODE, "lr": lr} for lr in (0.5, 0.25, 0.125)]
    rule = build_per_trial(nodes, dtype=torch.float64, device="cpu")
    assert torch.equal(rule.lr, torch.tensor([[0.5], [0.25], [0.125]], dtype=torch.float64))
    assert rule.momentum.shape == (3, 1)
    assert rule.weight_decay == 0.0  # off for all: a plain number, so that the rule can skip it
    with pytest.raises(AssertionError, match="biases differs"):
        build_per_trial([NODE, {**NODE, "biases": True}], dtype=torch.float64, device="cpu")


def test_is_per_trial():
    assert is_per_trial(PerTrial[Positive])
    assert is_per_trial(PerTrial[Positive] | None)
    assert not is_per_trial(Positive)
    assert not is_per_trial(read("dlexp.model.mlp.MLP").parameters["widths"].annotation)


def test_a_list_of_each_trial_becomes_a_list_of_columns_and_one_of_all_stays():
    nodes = [{"_target_": "dlexp.optimizer.adam.Adam", "betas": betas} for betas in ([0.5, 0.9], [0.1, 0.2])]
    rule = build_per_trial(nodes, dtype=torch.float32, device="cpu")
    assert [column.tolist() for column in rule.betas] == [[[0.5], [0.1]], [[0.9], [0.2]]]
    assert build_per_trial(nodes[:1] * 3, dtype=torch.float32, device="cpu").betas == [0.5, 0.9]
