"""The user's YAML files are kept with a run."""

import shutil

from dlexp.config.source.folder import store_copy, stored_copy


def test_the_files_are_kept_and_found_from_trials_too(tmp_path):
    (tmp_path / "mine" / "model").mkdir(parents=True)
    (tmp_path / "mine" / "model" / "net.yaml").write_text("a: 1\n")
    (tmp_path / "mine" / "notes.txt").write_text("no YAML")
    run = tmp_path / "runs" / "e" / "1-x"
    trial = run / "trials" / "2-y"
    for place in (run, trial):
        place.mkdir(parents=True)
        (place / "manifest.json").write_text("{}")
    assert stored_copy(trial) is None
    store_copy(None, run)
    assert stored_copy(run) is None
    store_copy(tmp_path / "mine", run)
    shutil.rmtree(tmp_path / "mine")
    assert stored_copy(run) == stored_copy(trial) == run / "conf"
    assert [path.relative_to(run).as_posix() for path in (run / "conf").rglob("*") if path.is_file()] == [
        "conf/model/net.yaml"
    ]
    store_copy(run / "conf", run)  # gone on with from the copy
    assert (run / "conf" / "model" / "net.yaml").read_text() == "a: 1\n"


def test_a_folder_conf_that_belongs_to_no_run_is_no_copy(tmp_path):
    (tmp_path / "conf").mkdir()
    assert stored_copy(tmp_path) is None
