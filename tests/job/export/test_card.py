"""A card is a model-index of valid YAML, tells what is known of the model, and has nothing that a page would obey."""

import json

import yaml


def test_the_card_is_a_model_index_and_what_is_odd_reads_as_itself(runs, tmp_path, monkeypatch, export_of):
    monkeypatch.chdir(runs[0])
    export_of("table", "safetensors", tmp_path / "net.safetensors")
    text = (tmp_path / "card.md").read_text()
    _, front, body = text.split("---\n", 2)
    fields = yaml.safe_load(front)
    assert fields["license"] is None
    (entry,) = fields["model-index"]
    (result,) = entry["results"]
    assert result["task"] == {"type": "tabular-classification", "name": "Tabular Classification"}
    assert {"name", "type"} <= result["dataset"].keys()
    assert all({"type", "value", "name"} <= metric.keys() for metric in result["metrics"])
    accuracy = next(metric["value"] for metric in result["metrics"] if metric["type"] == "accuracy")
    assert accuracy == runs[1]["table"]["metrics"]["val/accuracy"]
    assert "<script>" not in body
    assert r"\<script\>alert\(1\)\</script\>\|\`\*\_\[x\]\(y\)" in body
    assert "| place | 3: a, b, c |" in body
    assert runs[1]["table"]["data"]["fingerprint"] in body
    assert "sealed: it was never opened" in body or "There is no test part." in body
    assert str(runs[0]) not in text
    told = json.loads((tmp_path / "net.json").read_text())
    assert told["about"]["encoding"]["features"][1]["levels"] == ["a", "b", "c"]
    assert "tracking" not in told["config"]
