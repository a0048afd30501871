"""The optimiser that CONTRIBUTING adds is right: its class by torch's, its YAML by its class, its test by running."""

import re
import sys
from dataclasses import fields
from pathlib import Path
from types import ModuleType

import pytest
import torch
import yaml

TEXT = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^```\w+\n# (\S+\.(?:py|yaml))\n(.*?)^```$", TEXT, re.M | re.S))


@pytest.fixture
def module(monkeypatch):
    """The example's module, importable under its name."""
    module = ModuleType("dlexp.optimizer.adamax")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(FILES["dlexp/optimizer/adamax.py"], module.__dict__)
    return module


def test_the_class_is_torchs_adamax(module):
    generator = torch.Generator().manual_seed(0)
    params_TP = torch.randn(1, 7, dtype=torch.float64, generator=generator)
    theirs = torch.nn.Parameter(params_TP[0].clone())
    reference = torch.optim.Adamax([theirs], lr=0.1, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.3)
    rule = module.Adamax(beta1=0.8, beta2=0.95, eps=1e-6, weight_decay=0.3)
    state = rule.init(params_TP)
    for step in range(1, 31):
        grads_TP = torch.randn(1, 7, dtype=torch.float64, generator=generator)
        theirs.grad = grads_TP[0].clone()
        reference.step()
        rule.update(params_TP, grads_TP, state, 0.1, step)
        torch.testing.assert_close(params_TP[0], theirs.detach(), rtol=1e-12, atol=1e-12)


def test_the_yaml_file_states_every_parameter_at_its_default(module):
    node = yaml.safe_load(FILES["conf/optimizer/adamax.yaml"])
    assert node.pop("_target_") == "dlexp.optimizer.adamax.Adamax"
    assert node == {field.name: field.default for field in fields(module.Adamax)}


def test_the_test_passes(module):
    names: dict = {}
    exec(FILES["tests/optimizer/test_adamax.py"], names)
    names["test_under_a_constant_gradient_every_step_is_the_rate"]()


def test_the_files_and_folders_named_exist():
    named = re.findall(r"`((?:tests|docs|dlexp|conf|benchmarks)/[\w/.]+\.(?:py|md|yaml))`", TEXT)
    root = Path(__file__).parents[2]
    assert len(named) > 8
    assert [name for name in named if "NAME" not in name and not (root / name).exists()] == []


def test_the_glossary_is_in_order_and_has_thirty_words():
    words = re.findall(r"^\| (\w+) \|", TEXT.partition("## Glossary")[2], re.M)[1:]
    assert len(words) >= 30
    assert words == sorted(set(words), key=str.lower)
