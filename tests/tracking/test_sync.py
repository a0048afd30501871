import pytest

from dlexp.error import RunError
from dlexp.run.environment import now
from dlexp.run.folder import RunFolder
from dlexp.run.lock import Lock
from dlexp.tracking.sent import Sent
from dlexp.tracking.sync import sync, unsent


@pytest.fixture
def make(tmp_path):
    folders = []

    def create(status="finished", tracking="mlflow", sent=None):
        config = {"tracking": {"uri": "http://127.0.0.1:9"}}
        described = {"kind": "train", "params": {"tracking": tracking}}
        folder = RunFolder.create(tmp_path, "digits", "x", config=config, overrides=[], manifest=described)
        folders.append(folder)
        if status != "running":
            folder.update_manifest(status=status, end=now())
            folder.unlock()
        if sent is not None:
            Sent(mlflow_run_id="a", status=sent).write(folder)
        return folder

    yield create
    for folder in folders:
        folder.unlock()


def test_what_ended_and_is_not_complete_is_sent(make, tmp_path):
    lacking = [make().run_id, make(sent="running").run_id, make(status="killed", sent="finished").run_id]
    make(sent="finished")
    make(tracking="none")
    make(status="running")
    assert sorted(folder.run_id for folder in unsent(tmp_path)) == sorted(lacking)


def test_an_absent_server_is_a_problem_and_no_failure(make, tmp_path):
    folder = make()
    lines = []
    (record,) = sync(tmp_path, [], lines.append)
    assert lines == [f"sending {folder.path.name}"]
    assert (record["run_id"], record["sent"]) == (folder.run_id, False)
    assert "no answer from http://127.0.0.1:9" in (record["problem"] or "")
    assert Sent.read(folder).problem == record["problem"]


def test_a_run_that_another_process_sends_is_left_to_it(make, tmp_path):
    folder = make()
    lock = Lock(folder.path / "outbox.lock")
    lock.acquire()
    (record,) = sync(tmp_path, [folder.run_id])
    assert "in use by process" in (record["problem"] or "")
    lock.release()


def test_an_unknown_run_is_refused(make, tmp_path):
    make()
    with pytest.raises(RunError, match="no such run"):
        sync(tmp_path, ["zzz"])
