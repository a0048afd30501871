"""What `dlexp schema --write` leaves in a folder: an editor finds the schema, and the command line reads as before."""

import json
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from dlexp.config.resolve import resolve
from dlexp.config.schema.write import FOLDER, MARK, write

FILES = {
    "optimizer/mine.yaml": "# Mine.\ndefaults: [adam, _self_]\nlr: 0.5\n",
    "experiment/first.yaml": "# @package _global_\n# A question.\ntrainer:\n  epochs: 2\n",
    "study/second.yaml": "# @package _global_\ntrainer:\n  epochs: 3\n",
    "other/thing.yaml": "a: 1\n",
}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project") / "conf"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder, write(folder)


def faults(path):
    """Return what the schema that a file's line names says of it, as an editor would."""
    (line,) = [line for line in path.read_text().splitlines() if line.startswith(MARK)]
    place = (path.parent / line.removeprefix(MARK)).resolve()

    def retrieve(uri):
        return Resource.from_contents(json.loads(Path(uri.removeprefix("file://")).read_text()))

    registry = Registry(retrieve=retrieve)
    validator = Draft202012Validator({"$ref": place.as_uri()}, registry=registry)
    return [error.message for error in validator.iter_errors(yaml.safe_load(path.read_text()))]


def test_each_file_names_the_schema_of_its_kind(written):
    folder, done = written
    assert done["schema"] == str(folder / FOLDER / "dlexp.json")
    marked = ["experiment/first.yaml", "optimizer/mine.yaml", "study/second.yaml"]
    assert done["files"] == done["changed"] == [str(folder / name) for name in marked]
    assert (folder / "optimizer/mine.yaml").read_text().startswith(f"{MARK}../.schema/optimizer.json\n# Mine.\n")
    assert (folder / "other/thing.yaml").read_text() == FILES["other/thing.yaml"]
    for name in marked:
        assert faults(folder / name) == []


def test_a_mistake_is_seen(written):
    folder, _ = written
    (folder / "optimizer/wrong.yaml").write_text(f"{MARK}../.schema/optimizer.json\ndefaults: [adam, _self_]\nlrr: 1\n")
    assert faults(folder / "optimizer/wrong.yaml") != []
    (folder / "optimizer/wrong.yaml").unlink()


def test_hydra_reads_the_files_as_before(written):
    folder, _ = written
    assert (folder / "experiment/first.yaml").read_text().splitlines()[0] == "# @package _global_"
    config = resolve(["experiment=first", "optimizer=mine"], folder).config
    assert (config["trainer"]["epochs"], config["optimizer"]["lr"]) == (2, 0.5)


def test_again_nothing_changes(written):
    folder, _ = written
    before = {path: path.read_text() for path in folder.rglob("*") if path.is_file()}
    assert write(folder)["changed"] == []
    assert {path: path.read_text() for path in folder.rglob("*") if path.is_file()} == before
