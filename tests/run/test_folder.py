import json

import numpy as np
import pytest
import yaml

from dlexp.error import RunError
from dlexp.run.folder import RunFolder


def test_a_new_folder_says_what_is_known(fake_run, tmp_path):
    folder = fake_run().folder
    assert folder.path.parent == tmp_path / "runs" / "digits"
    assert folder.path.name == f"{folder.run_id}-lr0.1-mlp"
    assert folder.runs_dir == tmp_path / "runs"
    assert folder.overrides == ["optimizer.lr=0.1"]
    assert yaml.safe_load((folder.path / "config.yaml").read_text())["seed"] == 3
    manifest = folder.manifest
    assert manifest["status"] == "running"
    assert manifest["end"] is None
    assert manifest["packages"]["torch"]
    assert {"run_id", "start", "command", "git", "python", "host", "user", "seed", "resumes"} <= manifest.keys()
    assert folder.is_locked()


def test_a_created_folder_is_locked_against_others(fake_run):
    folder = fake_run().folder
    with pytest.raises(RunError, match="in use by process"):
        RunFolder.open(folder.path).lock()
    folder.unlock()
    other = RunFolder.open(folder.path)
    other.lock()
    other.unlock()


def test_fields_of_the_manifest_change_alone(fake_run):
    folder = fake_run().folder
    before = folder.manifest
    folder.update_manifest(status="finished", extra=[1])
    assert folder.manifest == {**before, "status": "finished", "extra": [1]}
    assert not list(folder.path.glob(".*"))


def test_result_and_log(fake_run):
    folder = fake_run().folder
    assert folder.result is None
    folder.write_result({"kind": "train", "status": "finished", "value": np.float32(0.5)})
    assert folder.result == {"kind": "train", "status": "finished", "value": 0.5}
    folder.log("first")
    folder.log("second")
    lines = (folder.path / "log.txt").read_text().splitlines()
    assert [line[20:] for line in lines] == ["first", "second"]


def test_the_saved_epoch_is_that_of_the_checkpoint(fake_run):
    run = fake_run()
    assert run.folder.saved_epoch() is None
    run.save(4)
    assert run.folder.saved_epoch() == 4


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(RunError, match=r"no manifest\.json in it"):
        RunFolder.open(tmp_path)


@pytest.mark.parametrize("content", ["", "{", "[1, 2]", "null"])
def test_damaged_files_are_named(fake_run, content):
    folder = fake_run().folder
    (folder.path / "manifest.json").write_text(content)
    with pytest.raises(RunError, match=r"manifest\.json: damaged"):
        _ = folder.manifest
    (folder.path / "config.yaml").write_text("a: [")
    with pytest.raises(RunError, match=r"config\.yaml: cannot be read"):
        _ = folder.config


def test_a_result_that_is_not_finite_is_valid_json(fake_run):
    folder = fake_run().folder
    folder.write_result({"metrics": {"val/loss": float("nan")}})
    json.loads((folder.path / "result.json").read_text(), parse_constant=lambda word: pytest.fail(word))
