import json
import subprocess
import sys
import time

import pytest

from dlexp.error import RunError
from dlexp.run.folder import RunFolder
from dlexp.run.scan import close_dead, find, find_sweep, scan

DIE = """
import os, sys
from pathlib import Path
from dlexp.run.folder import RunFolder
folder = RunFolder.create(Path(sys.argv[1]), "digits", "dead", config={}, overrides=[], manifest={"kind": "train"})
folder.append_epoch({"epoch": 1})
print(folder.path, flush=True)
os.kill(os.getpid(), 9)
"""


def dead_run(runs_dir):
    done = subprocess.run([sys.executable, "-c", DIE, str(runs_dir)], capture_output=True, text=True, check=False)
    return RunFolder.open(type(runs_dir)(done.stdout.strip()))


def test_find_by_id_prefix_folder_and_last(fake_run, tmp_path):
    first = fake_run().folder
    time.sleep(0.002)
    last = fake_run().folder
    runs = tmp_path / "runs"
    assert find(runs, "last").path == last.path
    assert find(runs, first.run_id).path == first.path
    assert find(runs, first.run_id[:-1]).path == first.path
    assert find(runs, first.path.name).path == first.path
    assert find(runs, str(first.path)).path == first.path


def test_find_lists_candidates(fake_run, tmp_path):
    first, second = fake_run().folder, fake_run().folder
    shared = "".join(a for a, b in zip(first.run_id[:6], second.run_id[:6], strict=True) if a == b)
    with pytest.raises(RunError, match=f"2 runs begin so; write more of one of .*{first.path.name}") as raised:
        find(tmp_path / "runs", shared)
    assert second.path.name in str(raised.value)
    for ref in ("zzzz", "", "../../etc", "*"):
        with pytest.raises(RunError):
            find(tmp_path / "runs", ref)
    with pytest.raises(RunError, match="did you mean"):
        find(tmp_path / "runs", first.run_id + "x")


@pytest.mark.parametrize("ref", ["last", "abc"])
def test_no_runs_at_all(tmp_path, ref):
    with pytest.raises(RunError, match=r"no runs in .*; `dlexp train` makes one"):
        find(tmp_path / "nowhere", ref)


def test_scan_joins_manifest_and_result(fake_run, tmp_path):
    run = fake_run()
    record = scan(tmp_path / "runs")[0]
    assert (record["status"], record["metrics"], record["kind"]) == ("running", {}, "train")
    run.end()
    record = scan(tmp_path / "runs")[0]
    assert (record["status"], record["metrics"]["test/accuracy"]) == ("finished", 0.75)
    assert record["params"]["optimizer.lr"] == 0.1
    assert record["run_dir"] == str(run.folder.path)


def test_a_killed_run_is_shown_and_closed(fake_run, tmp_path):
    alive = fake_run().folder
    dead = dead_run(tmp_path / "runs")
    assert {record["run_id"]: record["status"] for record in scan(tmp_path / "runs")} == {
        alive.run_id: "running",
        dead.run_id: "killed",
    }
    assert dead.manifest["status"] == "running"
    assert [folder.run_id for folder in close_dead(tmp_path / "runs")] == [dead.run_id]
    assert dead.manifest["status"] == "killed"
    assert dead.manifest["start"] <= dead.manifest["end"]
    assert alive.manifest["status"] == "running"
    assert close_dead(tmp_path / "runs") == []


def test_damaged_and_foreign_folders_do_no_harm(fake_run, tmp_path):
    runs = tmp_path / "runs"
    folder = fake_run().folder
    (folder.path / "manifest.json").write_text("{")
    (runs / "digits" / "abc-empty").mkdir()
    (runs / "notes.txt").write_text("x")
    (runs / "loop").symlink_to(runs)
    assert [record["status"] for record in scan(runs)] == ["damaged"]
    assert close_dead(runs) == []


def test_two_thousand_runs_are_listed_in_three_seconds(fake_run, tmp_path):
    run = fake_run()
    run.end()
    manifest = (run.folder.path / "manifest.json").read_bytes()
    result = (run.folder.path / "result.json").read_bytes()
    for number in range(2000):
        path = tmp_path / "many" / "digits" / f"{number:05}-x"
        path.mkdir(parents=True)
        (path / "manifest.json").write_bytes(manifest)
        (path / "result.json").write_bytes(result)
    started = time.perf_counter()
    assert len(scan(tmp_path / "many")) == 2000
    assert time.perf_counter() - started < 3
    json.dumps(scan(tmp_path / "many")[:1])


def test_the_settings_of_a_cv_are_listed_behind_it_and_found(fake_run, tmp_path):
    holder, other = fake_run().folder, fake_run().folder
    settings = [
        RunFolder.create(holder.path, "settings", f"lr{i}", config={}, overrides=[], manifest={"kind": "cv"})
        for i in range(2)
    ]
    for setting in settings:
        setting.unlock()  # the lock of the whole covers its parts
    runs = tmp_path / "runs"
    records = scan(runs)
    wanted = [holder.run_id, *sorted(setting.run_id for setting in settings), other.run_id]
    assert [record["run_id"] for record in records] == wanted
    assert [record["status"] for record in records] == ["running"] * 4
    assert find(runs, settings[1].run_id).path == settings[1].path
    assert find(runs, "last").path == other.path
    holder.unlock()
    assert [record["status"] for record in scan(runs)] == ["killed"] * 3 + ["running"]


def _make(runs_dir, run_id, **manifest):
    folder = RunFolder.create(runs_dir, "x", "s", config={}, overrides=[], manifest=manifest, run_id=run_id)
    folder.unlock()
    return folder


def test_last_is_the_newest_sweep(tmp_path):
    with pytest.raises(RunError, match="last: got no sweeps"):
        find_sweep("last", tmp_path)
    _make(tmp_path, "a1", kind="sweep")
    newest = _make(tmp_path, "a2", kind="sweep")
    run = _make(tmp_path, "a3", kind="train")
    _make(tmp_path, "a4", kind="sweep", **{"from": {"sweep": "a2"}})  # over the seeds of a winner
    assert find_sweep("last", tmp_path).path == newest.path
    assert find_sweep("a3", tmp_path).path == run.path


def test_a_renamed_run_is_still_listed_and_answers_to_both_names(fake_run, tmp_path):
    runs = tmp_path / "runs"
    folder, later = fake_run().folder, fake_run().folder
    folder.path.rename(folder.path.with_name("zz"))
    record = scan(runs)[0]
    assert (record["run_id"], record["slug"]) == (folder.run_id, "zz")
    for ref in ("zz", folder.run_id):
        assert find(runs, ref).path.name == "zz"
        assert find(runs, ref).run_id == folder.run_id
    assert find(runs, "last").path == later.path


def test_after_a_move_every_path_of_a_result_is_where_it_is_now(fake_run, tmp_path):
    folder = fake_run().folder
    trials = [{"run_dir": f"{folder.path}/trials/a-1"}, {"run_dir": "/elsewhere/trials/b-1"}, {"run_dir": None}]
    folder.write_result({"status": "finished", "run_dir": str(folder.path), "trials": trials})
    place = folder.path.rename(tmp_path / "moved").rename(tmp_path / "archive")
    expected = [f"{place}/trials/a-1", "/elsewhere/trials/b-1", None]
    result = RunFolder.open(place).result
    assert result is not None
    assert (result["run_dir"], [trial["run_dir"] for trial in result["trials"]]) == (str(place), expected)
