"""An ensemble as a run: its document, and what other commands make of it; nothing is trained."""

import numpy as np
import pytest

from dlexp.error import ConfigError, RunError
from dlexp.job.compare.comparison import compare
from dlexp.job.ensemble.ensemble import Wish, start
from dlexp.job.ensemble.member import averaged
from dlexp.job.inference.predict import predict
from dlexp.run.folder import RunFolder
from dlexp.run.listing.page import page
from dlexp.run.listing.ranking import rank, records_of
from dlexp.run.listing.trash import remove
from tests.docs.test_schema import faults
from tests.job.compare import compared

TARGET = np.arange(120) % 3


def write(runs_dir, seeds, accuracy: float = 0.75) -> list[str]:
    outputs = [compared.logits(seed, TARGET, accuracy) for seed in seeds]
    return [compared.write_run(runs_dir, each, TARGET, seed=s).run_id for s, each in zip(seeds, outputs, strict=True)]


def test_an_ensemble_of_runs_is_a_run_that_others_take(tmp_path):
    refs = write(tmp_path, (1, 2, 3))
    result = start(refs, tmp_path, Wish(steps=5)).result
    assert faults("ensemble", result) == []
    assert sum(member["weight"] for member in result["members"]) == pytest.approx(1)
    folder = RunFolder.open(tmp_path / "made-up" / f"{result['run_id']}-ensemble-of-3")
    assert (folder.manifest["status"], folder.result) == ("finished", result)
    compared_with = compare([result["run_id"], refs[0]], tmp_path, "log_loss")
    assert compared_with["runs"][0]["value"] == pytest.approx(result["metrics"]["val/log_loss"])
    assert compared_with["runs"][0]["label"].endswith(f"mean of {len(result['members'])} models")
    assert "default" not in compared_with["runs"][1]["label"]
    listed = {record["run_id"]: record for record in records_of(rank(tmp_path))}
    assert listed[result["run_id"]]["value"] == result["metrics"]["val/accuracy"]
    shown = page(folder)
    assert [inner["name"] for inner in shown["inner"]] == [member["label"] for member in result["members"]]
    weights = {member["run_id"]: member["weight"] for member in result["members"]}
    together = averaged(result["run_id"], tmp_path, is_ensemble=False)
    assert together is not None
    assert {folder.run_id: weight for folder, weight in together.models} == pytest.approx(weights)
    doubled = averaged(f"{result['run_id']},{refs[0]}", tmp_path, is_ensemble=True)
    assert doubled is not None
    assert sum(weight for _, weight in doubled.models) == pytest.approx(1)


def test_an_ensemble_of_cvs_is_compared_by_folds(tmp_path):
    cvs = [compared.write_cv(tmp_path, seed, 0.75, k=5, num=150).run_id for seed in (0, 20, 40)]
    result = start(cvs, tmp_path, Wish(steps=5)).result
    assert faults("ensemble", result) == []
    assert (result["paired"], result["choices"], len(result["splits"])) == ("cv", 5, 5)
    document = compare([result["run_id"], cvs[0]], tmp_path)
    assert document["pairs"][0]["over"] == "folds"
    assert document["runs"][0]["value"] == pytest.approx(result["scores"][0]["nested"]["value"])
    together = averaged(result["run_id"], tmp_path, is_ensemble=False)
    assert together is not None
    assert len(together.models) == 5 * len(result["members"])


def test_settings_picked_by_their_places_are_said_to_flatter(tmp_path):
    sweep = compared.write_sweep(tmp_path, TARGET, [0.6, 0.8, 0.7], 1, 0).run_id
    notes = start([f"{sweep}:1-2"], tmp_path, Wish(steps=3)).result["notes"]
    assert notes[0].startswith(f"{sweep}:1-2: settings that were picked by these very examples")
    whole = start([sweep], tmp_path, Wish(steps=3)).result
    assert whole["num_models"] == 3
    assert not any("picked by" in note for note in whole["notes"])


def test_members_that_are_gone_and_bad_wishes_are_one_line(tmp_path):
    refs = write(tmp_path, (1, 2, 3))
    result = start(refs, tmp_path, Wish(steps=0)).result
    (member,) = result["members"]
    assert result["notes"][0] == "a single model was chosen: on these examples no mean with another is better"
    remove(tmp_path, [member["run_id"]])
    with pytest.raises(RunError, match=f"its member {member['run_id']} is gone from .*; restore it"):
        averaged(result["run_id"], tmp_path, is_ensemble=False)
    for wish, words in (
        (Wish("acuracy"), "--metric: got acuracy; choose one of .*did you mean accuracy"),
        (Wish("rmse"), "--metric: got rmse; choose one of accuracy"),
        (Wish(heaps=90), "--heaps: got 90; 120 validation examples can be dealt into at most 60"),
    ):
        with pytest.raises(ConfigError, match=words):
            start(write(tmp_path, (4, 5)), tmp_path, wish)
    with pytest.raises(RunError, match="two of one kind are needed"):
        compare([result["run_id"], compared.write_cv(tmp_path, 0, 0.8).run_id], tmp_path)


def test_a_moved_runs_folder_finds_its_members(tmp_path):
    refs = write(tmp_path / "here", (1, 2))
    result = start(refs, tmp_path / "here", Wish(steps=3)).result
    (tmp_path / "here").rename(tmp_path / "there")
    together = averaged(result["run_id"], tmp_path / "there", is_ensemble=False)
    assert together is not None
    assert {folder.path.parent.parent for folder, _ in together.models} == {tmp_path / "there"}
    with pytest.raises(RunError, match=r"model\.json"):  # made-up runs have no weights
        predict(result["run_id"], tmp_path / "there", [], averaged=together)
