"""Functions of a package, and what torch has beside layers and rules, are out of reach of who trusts the package."""

import re
import tomllib
from pathlib import Path

import pytest

from dlexp.config import trust
from dlexp.config.resolve import resolve
from dlexp.config.rule.target import WHERE, require_class
from dlexp.error import ConfigError

IMPORTED_AS = {"hydra-core": "hydra", "pillow": "PIL", "pyyaml": "yaml", "scikit-learn": "sklearn"}


@pytest.mark.parametrize(
    "target",
    [
        "torch.load",
        "torch.save",
        "torch.serialization.load",
        "torch.hub.load",
        "torch.package.PackageImporter",
        "torch.distributed.elastic.multiprocessing.subprocess_handler.SubprocessHandler",
        "torch.utils.tensorboard.SummaryWriter",
        "torch.nn.init.normal_",
        "torchvision.datasets.MNIST",
        "torchvision.models.resnet18",
    ],
)
@pytest.mark.parametrize("group", ["model", "optimizer"])
def test_what_is_no_layer_is_refused(group, target):
    package = target.partition(".")[0]
    with pytest.raises(ConfigError, match=rf"^{group}\._target_: got {re.escape(target[:40])}"):
        resolve([f"trusted=[{package}]", f"{group}._target_={target}"])


@pytest.mark.parametrize("target", ["torch.nn.Linear", "torch.nn.GELU", "torch.optim.SGD", "torchvision.models.ResNet"])
def test_layers_models_and_rules_are_fit(target):
    require_class("model", target)


@pytest.mark.parametrize(
    ("path", "target", "cure"),
    [
        ("model", "torchvision.models.resnet18", "a class is needed: model=torchvision model.name=resnet18 takes it"),
        ("activation", "torchvision.models.resnet18", "it is a function, a class is needed$"),
        ("optimizer", "torch.optim.RAdam", "`dlexp options optimizer` lists .* `dlexp new optimizer NAME` writes one"),
    ],
)
def test_what_is_near_is_named(path, target, cure):
    with pytest.raises(ConfigError, match=cure):
        require_class(path, target)


def test_a_package_that_passes_a_function_on_does_not_make_it_fit(tmp_path, monkeypatch):
    (tmp_path / "passing.py").write_text("from torch import load\nfrom torch.package import PackageImporter as Net\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("load", "Net"):
        with pytest.raises(ConfigError, match=rf"_target_: got passing.{name}; "):
            resolve(["trusted=[torch,passing]", f"model._target_=passing.{name}"])


def test_every_library_that_dlexp_needs_is_refused_or_narrowed():
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["search"]]
    names = [name.partition(">")[0].strip() for name in needed]
    assert {IMPORTED_AS.get(name, name.replace("-", "_")) for name in names} == {*trust.LIBRARIES, *WHERE} - {
        "omegaconf"
    }


def test_a_library_is_no_package_of_components():
    with pytest.raises(ConfigError, match="trusted: got numpy; it holds no component"):
        resolve(["trusted=[numpy]"])
