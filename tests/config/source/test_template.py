"""What is not written: names that cannot be, and files that are there already."""

from pathlib import Path

import pytest

from dlexp.config.source import template
from dlexp.config.source.template import KINDS, write_component
from dlexp.error import ConfigError


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("modle", "x"), "KIND: got modle; choose one of activation, augment,"),
        (("model", "Two-Paths"), "NAME: got Two-Paths; small letters, digits and _ are needed"),
        (("model", "class"), "NAME: got class; small letters"),
        (("optimizer", "adam"), "NAME: got adam; optimizer=adam ships with dlexp, choose another name"),
        (("metric", "accuracy"), "NAME: got accuracy; `dlexp options metric` lists it"),
        (("model", "tensor"), "NAME: got tensor; the class Tensor would hide torch's"),
        (("model", "x", "dlexp"), "--package: got dlexp;"),
    ],
)
def test_what_cannot_be_written_is_refused(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    kind, name, package = [*arguments, "my_parts"][:3]
    with pytest.raises(ConfigError) as refused:
        write_component(kind, name, package, Path("conf"))
    assert str(refused.value).startswith(message)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("path", ["my_parts/mine.py", "my_parts/test_mine.py", "conf/model/mine.yaml"])
def test_nothing_is_overwritten(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    Path(path).parent.mkdir(parents=True)
    Path(path).write_text("# here\n")
    with pytest.raises(ConfigError) as refused:
        write_component("model", "mine", "my_parts", Path("conf"))
    assert str(refused.value) == f"{path}: is there already; choose another name, or remove it"
    assert Path(path).read_text() == "# here\n"
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == [tmp_path / path]


def test_a_class_and_a_test_belong_to_every_kind():
    folder = Path(template.__file__).parents[1] / "template"
    assert [path.stem for path in sorted((folder / "test").glob("*.txt"))] == list(KINDS)
    assert len(KINDS) == 11
