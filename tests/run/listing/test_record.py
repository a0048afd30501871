import json

import pytest

from dlexp.error import RunError
from dlexp.run.listing.record import last_epoch, read_record, written_params


def record_of(run):
    record = read_record(run.folder.path, run.folder.path)
    assert record is not None
    return record


def test_a_run_that_is_not_over_shows_its_last_epoch(fake_run):
    run = fake_run()
    run.folder.update_manifest(monitor={"metric": "val/accuracy"}, params={"trainer.epochs": 10})
    assert (record_of(run).get("epochs"), record_of(run).get("planned_epochs")) == (None, 10)
    run.train(1, 4)
    record = record_of(run)
    assert (record["status"], record.get("epochs"), record.get("planned_epochs")) == ("running", 4, 10)
    assert record["value"] == record["metrics"]["val/accuracy"] == 1 - 1 / 5
    assert record.get("seconds") == 2.0
    run.folder.unlock()
    assert (record_of(run)["status"], record_of(run).get("epochs")) == ("killed", 4)


def test_a_finished_run_has_the_metrics_of_its_result(fake_run):
    run = fake_run()
    run.folder.update_manifest(monitor={"metric": "val/accuracy"})
    run.train(1, 2)
    run.end()
    record = record_of(run)
    assert (record["value"], record["metrics"]["test/accuracy"]) == (0.8, 0.75)
    assert "planned_epochs" not in record


def test_a_sweep_has_its_winners_value_over_seeds(fake_run):
    run = fake_run()
    trials = [
        {"number": number, "metrics": {"val/accuracy": value, "val/loss": loss}}
        for number, value, loss in ((0, 0.5, 9.0), (1, 0.9, 1.0), (1, 0.7, 3.0))
    ]
    best = {"number": 1, "value": 0.8, "metrics": trials[1]["metrics"]}
    run.folder.write_result(
        {"kind": "sweep", "metric": "val/accuracy", "trials": trials, "best": best, "metrics": {"sweep/best": 0.8}}
    )
    record = record_of(run)
    assert (record["metric"], record["value"]) == ("val/accuracy", 0.8)
    assert record["metrics"] == {"sweep/best": 0.8, "val/accuracy": 0.8, "val/loss": 2.0}


def test_a_cv_of_settings_has_the_best_ones_means(fake_run):
    run = fake_run()
    settings = [{"value": 0.9, "mean": {"val/accuracy": 0.9}}, {"value": 0.1, "mean": {"val/accuracy": 0.1}}]
    run.folder.write_result({"kind": "cv", "metric": "val/accuracy", "settings": settings, "metrics": {}})
    assert record_of(run)["value"] == 0.9


def test_what_was_written_fills_what_the_manifest_leaves_out(fake_run):
    run = fake_run()
    run.folder.write("overrides.txt", "optimizer.lr=0.5\ntrainer.epochs=4\n+x.y=1\ntracking=none\nruns_dir=r\n~norm\n")
    assert written_params(run.folder.path) == {"optimizer.lr": "0.5", "trainer.epochs": "4", "x.y": "1"}
    assert record_of(run)["params"]["optimizer.lr"] == 0.1
    assert record_of(run)["params"]["trainer.epochs"] == "4"


DAMAGE = [
    b"[]",
    b"{}",
    b"null",
    b'"text"',
    b"\0" * 20,
    b'{"params": []}',
    b'{"best": 3, "metric": 1}',
    b'{"metrics": 1}',
]


@pytest.mark.parametrize("name", ["manifest.json", "result.json", "metrics.jsonl", "note.json", "config.yaml"])
@pytest.mark.parametrize("content", DAMAGE)
def test_damage_is_listed_not_raised(fake_run, name, content):
    run = fake_run()
    run.train(1, 2)
    (run.folder.path / name).write_bytes(content)
    record = record_of(run)
    assert isinstance(record["metrics"], dict)
    assert isinstance(record["params"], dict)
    assert record["status"] == ("damaged" if name == "manifest.json" else "running")


def test_edited_numbers_are_no_result(fake_run):
    run = fake_run()
    run.train(1, 2)
    run.end()
    assert record_of(run)["metrics"]["val/accuracy"] == 0.8
    path = run.folder.path / "result.json"
    path.write_bytes(path.read_bytes().replace(b"0.8", b"0.9"))
    record = record_of(run)
    assert record["status"] == "damaged"
    assert record["metrics"] == {}
    assert record["value"] is None
    with pytest.raises(RunError, match=r"result\.json: damaged or edited; restore it from a copy, or delete it"):
        _ = run.folder.result


def test_a_torn_last_line_is_left_out(tmp_path):
    path = tmp_path / "metrics.jsonl"
    assert last_epoch(path) is None
    path.write_text(json.dumps({"epoch": 1}) + "\n" + '{"epoch": 2, "val')
    assert last_epoch(path) == {"epoch": 1}
    path.write_bytes(b"x" * 100_000 + b'\n{"epoch": 7}\n')
    assert last_epoch(path) == {"epoch": 7}
