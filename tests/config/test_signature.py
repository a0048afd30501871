"""Signatures are read from the source: parameters, types, defaults and documentation, nothing imported."""

import subprocess
import sys
from typing import Any

import pytest
from pydantic import TypeAdapter

from dlexp.config.catalog import EXPERIMENT, list_groups, read_option
from dlexp.config.signature import COMPUTED, REQUIRED, read
from dlexp.error import ConfigError

SOURCE = '''
"""A module."""
from dataclasses import dataclass, field
from typing import Annotated, Literal
import nowhere_to_be_found  # a signature is read without importing anything
from dlexp.data.split import Split
from dlexp.type import Count

Depth = Literal[18, 34]

class Net(nowhere_to_be_found.Module):
    """A net.

    Second paragraph.

    Args:
        depth: Number of layers,
            counted with weights.
        rate: Share.

    References:
        A. Author (2001), A title,
            a journal.
        B. Author (2002).
    """

    def __init__(self, depth: Depth = 18, rate: "float" = -1.5, act=nowhere_to_be_found.ReLU(), *, in_shape: tuple,
                 num_outputs: int = 3) -> None:
        pass

class Child(Net):
    """Inherits its constructor."""

class Bare:
    """Takes nothing."""
    gain: float = 2.0

@dataclass
class Data:
    """Fields."""
    path: str
    size: Count | None = None
    names: list[str] = field(default_factory=list)
    pair: list[int] = field(default_factory=lambda: [1, 2])
    limit: float = float("inf")
    other: "nowhere_to_be_found.Thing | None" = None
    mixed: int | "Thing" = field(default=4)
    made: list[int] = field(default_factory=nowhere_to_be_found.make)

@dataclass
class More(Data):
    """More fields."""
    extra: bool = False

@dataclass(frozen=True)
class Own(Split):
    """Fields of a base class of dlexp."""
    own: int = 1

def loss(weight: float = 1.0, *, task: str):
    """A function."""

async def not_a_component(): ...
'''


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "sourced.py").write_text(SOURCE)
    (tmp_path / "broken.py").write_text("x = (\n")
    monkeypatch.syspath_prepend(tmp_path)
    read.cache_clear()
    yield "sourced"
    read.cache_clear()


def defaults(target):
    return {name: parameter.default for name, parameter in read(target).parameters.items()}


def test_a_class(module):
    signature = read(f"{module}.Net")
    assert signature.doc == "A net."
    assert signature.source == "A. Author (2001), A title, a journal."
    assert signature.program == ("in_shape", "num_outputs")
    assert defaults(f"{module}.Net") == {"depth": 18, "rate": -1.5, "act": COMPUTED}
    assert signature.parameters["depth"].doc == "Number of layers, counted with weights."
    assert signature.parameters["depth"].text == "Literal[18, 34]"
    assert TypeAdapter(signature.parameters["rate"].annotation).validate_python(0.5, strict=True) == 0.5


def test_a_class_without_constructor_takes_its_bases_and_class_attributes_are_no_parameters(module):
    assert defaults(f"{module}.Child") == defaults(f"{module}.Net")
    assert read(f"{module}.Child").program == ("in_shape", "num_outputs")
    assert defaults(f"{module}.Bare") == {}


def test_a_dataclass(module):
    expected = {
        "path": REQUIRED, "size": None, "names": [], "pair": [1, 2], "limit": float("inf"), "other": None, "mixed": 4,
        "made": COMPUTED,
    }  # fmt: skip
    assert defaults(f"{module}.Data") == expected
    assert defaults(f"{module}.More") == {**expected, "extra": False}
    assert list(defaults(f"{module}.Own")) == [*defaults("dlexp.data.split.Split"), "own"]


def test_a_type_that_only_python_knows_accepts_anything(module):
    for name in ("other", "mixed"):
        adapter = TypeAdapter(read(f"{module}.Data").parameters[name].annotation)
        assert adapter.validate_python({"x": 1}, strict=True) == {"x": 1}


def test_a_function(module):
    assert read(f"{module}.loss").program == ("task",)
    assert defaults(f"{module}.loss") == {"weight": 1.0}


def test_nothing_around_a_module_is_run(module, tmp_path):
    (tmp_path / "package" / "inner").mkdir(parents=True)
    (tmp_path / "package" / "__init__.py").write_text("raise SystemExit('run!')")
    (tmp_path / "package" / "inner" / "__init__.py").write_text("class Net:\n    def __init__(self, a: int = 1): ...\n")
    assert defaults("package.inner.Net") == {"a": 1}
    with pytest.raises(ConfigError, match=r"no module package\.other was found"):
        read("package.other.Net")
    with pytest.raises(ConfigError, match=r"no module package\.inner\.x\.y was found"):
        read("package.inner.x.y.Net")


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("sourced.Nte", "_target_: got sourced.Nte; no class or function Nte is defined there; did you mean Net?"),
        ("dlexp.nowhere.X", "_target_: got dlexp.nowhere.X; no module dlexp.nowhere was found"),
        ("broken.X", "_target_: error in {folder}/broken.py, line 1: '(' was never closed"),
        ("X", "_target_: got X; no module X was found in {cwd} or an installed package"),
        ("..X", "_target_: got ..X; no module . was found in {cwd} or an installed package"),
        ("math.sin", "_target_: got math.sin; no module math was found in {cwd} or an installed package"),
    ],
)
def test_refusals(module, tmp_path, monkeypatch, target, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as caught:
        read(target)
    assert str(caught.value) == message.format(folder=tmp_path, cwd=tmp_path)


def test_every_shipped_signature_is_read_without_torch():
    groups = {group: options for group, options in list_groups().items() if group != EXPERIMENT}
    targets = [read_option(group, option)["_target_"] for group, options in groups.items() for option in options]
    code = (
        "import sys; from dlexp.config.signature import read\n"
        f"for target in {targets}: read(target)\n"
        "print({'torch', 'torchvision', 'mlflow', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    "annotation",
    [
        "().__class__.__base__.__subclasses__()",
        "().__class__.__base__.__subclasses__().clear()",
        "'a'.no_such_attribute",
        "[1][().__class__.__base__.__subclasses__().__len__()]",
        "Literal[().__class__.__base__]",
        "'x' * 3",
        "str(3)",
    ],
)
def test_an_annotation_of_a_stranger_s_file_runs_nothing(tmp_path, monkeypatch, annotation):
    (tmp_path / "strange_net.py").write_text(f"class Net:\n    def __init__(self, width: {annotation} = 1): ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    (parameter,) = read("strange_net.Net").parameters.values()
    assert parameter.annotation is Any
