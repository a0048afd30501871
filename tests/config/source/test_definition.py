"""Names are followed to where they are defined, and nothing is imported on the way."""

import sys

import pytest

from dlexp.build.node import build
from dlexp.config import trust
from dlexp.config.resolve import resolve
from dlexp.config.source.definition import locate
from dlexp.error import ConfigError


@pytest.fixture
def package(tmp_path, monkeypatch):
    for name, text in {
        "passing/__init__.py": "from .net import Net as Renamed, Net\nfrom .star import *\nfrom os import system\n"
        "from subprocess import Popen\nfrom dlexp.disk.durable import write_bytes\n",
        "passing/net.py": "class Net:\n    def __init__(self, width: int = 3) -> None:\n        self.width = width\n",
        "passing/star.py": "from passing.net import Net as Starred\nclass Other:\n    def __init__(self): ...\n",
        "passing/ring.py": "from .gnir import Lost\n",
        "passing/gnir.py": "from .ring import Lost\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("passing.Net", "passing.net.Net"),
        ("passing.Renamed", "passing.net.Net"),
        ("passing.Other", "passing.star.Other"),
        ("passing.Starred", "passing.net.Net"),
        ("torch.optim.RAdam", "torch.optim.radam.RAdam"),
        ("torchvision.models.resnet18", "torchvision.models.resnet.resnet18"),
        ("dlexp.optimizer.sgd.SGD", "dlexp.optimizer.sgd.SGD"),
    ],
)
def test_a_name_is_followed_to_its_definition(package, name, target):
    assert locate(name).target == target
    assert "passing" not in sys.modules


@pytest.mark.parametrize(
    "name", ["passing.ring.Lost", "passing.system", "passing.nothing", "nowhere.Net", "passing._x"]
)
def test_what_is_defined_nowhere_is_refused(package, name):
    with pytest.raises(ConfigError, match="_target_: got"):
        locate(name)


def composed(folder, target):
    (folder / "own" / "model").mkdir(parents=True)
    (folder / "own" / "model" / "x.yaml").write_text(f"_target_: {target}\n")
    return resolve(["model=x", "trusted=[passing]"], folder / "own").config["model"]


def test_a_trusted_package_passes_on_what_it_defines(package):
    node = composed(package, "passing.Renamed")
    assert node == {"_target_": "passing.Renamed", "width": 3}
    assert build(node).width == 3


@pytest.mark.parametrize("name", ["system", "Popen", "write_bytes"])
def test_what_a_trusted_package_takes_from_elsewhere_is_refused(package, name):
    with pytest.raises(ConfigError, match=rf"_target_: got passing\.{name}; "):
        composed(package, f"passing.{name}")
    trust.grant(["passing"])
    with pytest.raises(ConfigError, match=r"is not defined in passing|no class or function"):
        build(
            {"_target_": f"passing.{name}", "command": "true"} if name == "system" else {"_target_": f"passing.{name}"}
        )
