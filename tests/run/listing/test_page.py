import json

from dlexp.run.listing import note
from dlexp.run.listing.page import INNER, LOG_LINES, page


def test_a_run_on_a_page(fake_run):
    run = fake_run()
    run.folder.update_manifest(monitor={"metric": "val/accuracy"}, command="dlexp train", resumes=2, test_openings=1)
    run.train(1, 3)
    for number in range(7):
        run.folder.log(f"line {number}")
    note.write(run.folder.path, note="odd", add=["bad"], remove=[])
    run.end()
    document = page(run.folder)
    assert document["run"]["run_id"] == run.folder.run_id
    assert (document["run"]["note"], document["run"]["tags"]) == ("odd", ["bad"])
    assert (document["command"], document["resumes"], document["test_openings"]) == ("dlexp train", 2, 1)
    assert document["curve"] == [epoch["val/accuracy"] for epoch in run.folder.history()]
    assert [(saved["name"], saved["epoch"]) for saved in document["checkpoints"]] == [("last", 3)]
    assert [path.rpartition("/")[2] for path in document["figures"]] == ["curve.png"]
    assert [line[-6:] for line in document["log"]] == [f"line {number}" for number in range(7 - LOG_LINES, 7)]
    assert document["bytes"] == sum(path.stat().st_size for path in run.folder.path.rglob("*") if path.is_file())
    assert document["holder"] is None


def test_a_sweep_shows_its_best_trials(fake_run):
    run = fake_run()
    values = [0.3, None, 0.9, 0.1, 0.5, 0.7, 0.2]
    trials = [
        {"overrides": {"optimizer.lr": i}, "status": "finished", "value": value, "number": i, "metrics": {}}
        for i, value in enumerate(values)
    ]
    run.folder.write_result({"kind": "sweep", "metric": "val/accuracy", "trials": trials, "best": None, "metrics": {}})
    run.folder.update_manifest(data={"name": "digits", "fingerprint": "abc"})
    document = page(run.folder)
    assert document["run"].get("data") == {"name": "digits", "fingerprint": "abc"}
    assert [record["value"] for record in document["inner"]] == [0.9, 0.7, 0.5, 0.3, 0.2]
    assert document["inner"][0]["name"] == "optimizer.lr=2"
    assert (len(document["inner"]), document["num_inner"]) == (INNER, 7)
    run.folder.write_result({"kind": "sweep", "metric": "val/rmse", "trials": trials, "best": None, "metrics": {}})
    assert page(run.folder)["inner"][0]["value"] == 0.1


def test_a_cv_shows_its_folds_counted_from_one(fake_run):
    run = fake_run()
    folds = [
        {"fold": fold, "repeat": repeat, "seed": 0, "status": "finished", "metrics": {"val/accuracy": fold / 10}}
        for repeat in range(2)
        for fold in range(5)
    ]
    run.folder.update_manifest(monitor={"metric": "val/accuracy"})
    run.folder.write_result({"kind": "cv", "folds": folds, "metrics": {}})
    document = page(run.folder)
    assert [record["name"] for record in document["inner"]][::9] == ["repeat 1 fold 1", "repeat 2 fold 5"]
    assert document["inner"][-1]["value"] == 0.4


def test_what_is_damaged_is_left_out(fake_run):
    run = fake_run()
    (run.folder.path / "metrics.jsonl").write_bytes(b"\0\0\n")
    (run.folder.path / "overrides.txt").unlink()
    (run.folder.path / "manifest.json").write_text(json.dumps([]))
    document = page(run.folder)
    assert (document["run"]["status"], document["curve"], document["overrides"]) == ("damaged", [], [])


def test_the_page_names_what_was_edited(fake_run):
    run = fake_run()
    run.train(1, 2)
    run.end()
    assert page(run.folder)["faults"] == []
    for name, old, new in (("result.json", "0.8", "0.9"), ("config.yaml", "seed: 3", "seed: 4")):
        path = run.folder.path / name
        path.write_text(path.read_text().replace(old, new))
    faults = page(run.folder)["faults"]
    assert len(faults) == 2
    assert "result.json: damaged or edited" in faults[0]
    assert "config.yaml: was edited after the run began" in faults[1]
