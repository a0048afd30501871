"""A run's model as one file: the run's own answers, a card beside it, and nothing left of what is refused."""

import json
from typing import get_args

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from dlexp.error import ConfigError, ExportFault
from dlexp.job.export import check
from dlexp.job.export.export import Form, choose_form
from dlexp.job.inference.predict import predict
from dlexp.run.folder import RunFolder
from dlexp.run.listing.exported import read_exports
from docs import schema
from tests import command, exported


def answers_of(entry):
    """Return the answer to the only target, or to each."""
    return list(entry["targets"].values()) if "targets" in entry else [entry]


def test_of_several_targets_each_has_an_output_of_its_own(runs, tmp_path, monkeypatch, export_of):
    monkeypatch.chdir(runs[0])
    document = export_of("targets", "safetensors", tmp_path / "net.safetensors")
    assert document["outputs"] == ["outputs", "kind.probabilities", "size.values"]
    card = (tmp_path / "card.md").read_text()
    assert "for each of kind (2 classes), size (a value)" in card.replace("\\", "")
    assert "| validation | kind accuracy |" in card
    assert "| validation | size rmse |" in card


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("table", "pt2"),
        ("pictures", "onnx"),
        ("values", "safetensors"),
        ("pairs", "pt2"),
        *(("targets", form) for form in get_args(Form)),
    ],
)
def test_a_file_answers_as_the_run_does(runs, name, form, tmp_path, monkeypatch, export_of):
    folder, results = runs
    monkeypatch.chdir(folder)
    document = export_of(name, form, tmp_path / f"net.{form}")
    assert not list(Draft202012Validator(schema.schema("export")).iter_errors(json.loads(json.dumps(document))))
    assert document["difference"] <= (0 if form == "safetensors" else 1e-4)
    assert document["examples"] == ("train" if name == "values" else "val")
    assert document["inputs"] == {"pairs": ["first", "second"]}.get(name, document["inputs"][:1])
    is_table = name in ("table", "targets")
    inputs = tmp_path / ("new.csv" if is_table else "new.npy")
    if is_table:
        inputs.write_text("place,size\nb,0.4\na,-0.2\n")
    else:
        np.save(inputs, exported.draw((10,) if name == "values" else (1, 8, 8), 5).nan_to_num(0).numpy())
    given = [inputs] * (2 if name == "pairs" else 1)
    told = [predict(ref, folder / "runs", given) for ref in (results[name]["run_id"], document["path"])]
    said = [[answer for entry in each["predictions"] for answer in answers_of(entry)] for each in told]
    assert len(said[0]) == (4 if name == "targets" else 2 if is_table else 5)
    for ours, theirs in zip(*said, strict=True):
        assert ours.get("class") == theirs.get("class")
        for key in ("probability", "value", "similarity", "threshold"):
            assert theirs.get(key, 0.0) == pytest.approx(ours.get(key, 0.0), abs=0 if form == "safetensors" else 1e-4)
    assert told[1]["run_id"] == told[0]["run_id"]


def test_what_is_there_stays_without_force(runs, tmp_path, export_of):
    path = tmp_path / "net.safetensors"
    export_of("pictures", None, path)
    with pytest.raises(ConfigError, match=r"--out: got .*net.safetensors, which is there already; --force replaces it"):
        export_of("pictures", None, path)
    path.unlink()
    export_of("pictures", None, path)  # card and facts are its own, and nobody changed them
    path.unlink()
    (tmp_path / "card.md").write_text("license: mine")
    with pytest.raises(ConfigError, match=r"card.md, which is there already"):
        export_of("pictures", None, path)
    assert (tmp_path / "card.md").read_text() == "license: mine"
    export_of("pictures", None, path, is_forced=True)


def test_a_file_that_answers_otherwise_is_not_written(runs, tmp_path, monkeypatch, export_of):
    wrong = check.largest_difference
    monkeypatch.setattr("dlexp.job.export.export.largest_difference", lambda *all: wrong(*all) + 2e-4)
    with pytest.raises(
        ExportFault, match=r"net.safetensors: differs from the run's outputs by 0.0002; 0.0001 is allow"
    ):
        export_of("pictures", None, tmp_path / "net.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_a_network_that_no_exporter_follows_is_one_line(runs, tmp_path, monkeypatch, export_of):
    def fail(*_, **__):
        raise ValueError("data-dependent\nmore")

    monkeypatch.setattr("dlexp.export.pt2.trace", fail)
    with pytest.raises(ExportFault, match=r"got pt2, whose exporter cannot follow CNN \(data-dependent\); safetensors"):
        export_of("pictures", None, tmp_path / "net.pt2")
    assert list(tmp_path.iterdir()) == []
    assert ExportFault.exit_code == 1


def test_names_and_forms_agree(tmp_path):
    assert choose_form(None, None) == "pt2"
    assert choose_form("onnx", None) == "onnx"
    assert choose_form(None, tmp_path / "a.ONNX") == "onnx"
    with pytest.raises(ConfigError, match=r"--out: got a.bin; names end with .pt2, .onnx, .safetensors"):
        choose_form(None, tmp_path / "a.bin")
    with pytest.raises(ConfigError, match=r"--out: got a.onnx beside --format pt2; leave --format out"):
        choose_form("pt2", tmp_path / "a.onnx")


def test_the_run_s_record_names_what_is_there(runs, tmp_path, export_of):
    path = tmp_path / "net.safetensors"
    document = export_of("pictures", None, path)
    folder = RunFolder.open(runs[0] / "runs" / document["run_dir"])
    (entry,) = [entry for entry in read_exports(folder) if entry["path"] == str(path)]
    assert (entry["sha256"], entry["is_there"]) == (document["sha256"], True)
    assert "net.safetensors (" in command.run(runs[0], "show", document["run_id"]).stdout
    page = command.run(runs[0], "report", document["run_id"], "--format", "md", "--out", str(tmp_path / "p.md"))
    assert page.returncode == 0, page.stderr
    assert f"dlexp predict {path} INPUT" in (tmp_path / "p.md").read_text()
    path.unlink()
    assert not [entry for entry in read_exports(folder) if entry["path"] == str(path) and entry["is_there"]]
