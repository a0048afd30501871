"""A run folder as a stranger may have made it: nothing outside is written, and nothing that never ends is read."""

import ast
import os
import shutil
from pathlib import Path

import pytest

import dlexp
from dlexp.disk.regular import open_in_place, read_bytes, remove_tree
from dlexp.error import DiskFault, DlexpError
from dlexp.run import epoch_record, history
from dlexp.run.folder import RunFolder
from dlexp.run.lock import Lock
from dlexp.tracking.sent import Sent
from tests.run.fake_run import FakeRun

PLANTED = b"precious"
# name of the file in a run's folder -> what dlexp does to it
WRITERS = {
    "log.txt": lambda folder: folder.log("a line"),
    "metrics.jsonl": lambda folder: history.Chain(folder.path / "metrics.jsonl").append({"epoch": 1}),
    "epochs.bits": lambda folder: epoch_record.append(folder.path, 1, "bits", b"abc"),
    "epochs.losses": lambda folder: epoch_record.truncate(folder.path, 0),
    "lock": lambda folder: _lock(folder.path / "lock"),
    "outbox.lock": lambda folder: _lock(folder.path / "outbox.lock"),
    "manifest.json": lambda folder: folder.write("manifest.json", "{}"),
    "result.json": lambda folder: folder.write_result({"kind": "train"}),
    "mlflow.json": lambda folder: Sent().write(folder),
    "predictions/val.npz": lambda folder: folder.write_predictions("val", [0], [0], [[0.1, 0.9]]),
    "split.npz": lambda folder: folder.write_split({}),
}
# modules that open files for writing elsewhere than in a run's folder, or in a folder that was made a moment ago
OPENERS = {
    "config.source.project",
    "config.source.template",
    "data.file.mapped",
    "data.picture.decoded",
    "disk.durable",
    "engine.checkpoint",
    "execution.parcel.archive",
    "job.train.profile",
    "tracking.request.file",
}


def _lock(path: Path) -> None:
    lock = Lock(path)
    lock.acquire()
    assert Lock(path).is_held()
    lock.release()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "predictions").mkdir()
    (tmp_path / "run" / "manifest.json").write_text('{"kind": "train", "status": "running"}')
    (tmp_path / "outside").write_bytes(PLANTED)
    return RunFolder(tmp_path / "run")


@pytest.fixture
def run(tmp_path):
    filled = FakeRun(tmp_path / "runs")
    yield filled
    filled.folder.unlock()


@pytest.mark.parametrize("kind", ["link", "hard link", "dangling link"])
@pytest.mark.parametrize("name", WRITERS)
def test_what_a_file_is_a_link_to_is_never_written(folder, tmp_path, name, kind):
    victim = tmp_path / ("outside" if kind != "dangling link" else "nowhere")
    (folder.path / name).unlink(missing_ok=True)
    (os.link if kind == "hard link" else os.symlink)(victim, folder.path / name)
    WRITERS[name](folder)
    assert {path.name for path in tmp_path.iterdir()} == {"run", "outside"}
    assert (tmp_path / "outside").read_bytes() == PLANTED
    written = folder.path / name
    assert not written.is_symlink()
    assert not written.exists() or not written.samefile(tmp_path / "outside")


@pytest.mark.parametrize("name", ["log.txt", "metrics.jsonl", "epochs.bits", "epochs.losses", "lock", "outbox.lock"])
def test_a_pipe_in_place_of_a_file_is_refused_at_once(folder, name):
    os.mkfifo(folder.path / name)
    with pytest.raises(DiskFault, match=f"{name}: is no regular file; move it away"):
        WRITERS[name](folder)


def test_what_stands_in_a_file_of_two_names_is_gone_on_with(tmp_path):
    (tmp_path / "first").write_bytes(b"one\n")
    os.link(tmp_path / "first", tmp_path / "second")
    with open_in_place(tmp_path / "second", "ab") as file:
        file.write(b"two\n")
    assert (tmp_path / "first").read_bytes() == b"one\n"
    assert (tmp_path / "second").read_bytes() == b"one\ntwo\n"


@pytest.mark.parametrize("name", ["checkpoints", "figures", "predictions", "profile", "trials", "folds", "settings"])
def test_a_folder_that_leads_elsewhere_is_refused_before_anything_is_written(folder, tmp_path, name):
    (folder.path / "predictions").rmdir()
    (tmp_path / "place").mkdir()
    (folder.path / name).symlink_to(tmp_path / "place")
    with pytest.raises(DiskFault, match=f"{name}: is a link to .*place, and nothing is written through links; put"):
        folder.lock()
    assert list((tmp_path / "place").iterdir()) == []


def test_a_link_is_removed_and_not_what_it_leads_to(tmp_path):
    (tmp_path / "place").mkdir()
    (tmp_path / "place" / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "place")
    remove_tree(tmp_path / "link")
    assert [path.name for path in tmp_path.iterdir()] == ["place"]
    assert [path.name for path in (tmp_path / "place").iterdir()] == ["file"]


def test_the_lock_of_a_backup_by_hard_links_is_not_the_runs(run, tmp_path):
    backup = tmp_path / "backup"
    run.folder.unlock()
    shutil.copytree(run.folder.path, backup, copy_function=os.link)
    run.folder.lock()
    copy = RunFolder(backup)
    copy.lock()
    copy.unlock()
    with pytest.raises(DlexpError, match="in use by process"):
        RunFolder(run.folder.path).lock()


@pytest.mark.parametrize("name", ["manifest.json", "result.json", "config.yaml", "overrides.txt", "metrics.jsonl"])
@pytest.mark.parametrize("kind", ["pipe", "endless"])
def test_what_never_ends_is_not_read(run, name, kind):
    run.train(1, 2)
    run.end()
    path = run.folder.path / name
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    readers = {
        "manifest.json": lambda: run.folder.manifest,
        "result.json": lambda: run.folder.result,
        "config.yaml": lambda: run.folder.config,
        "overrides.txt": lambda: run.folder.overrides,
        "metrics.jsonl": run.folder.history,
    }
    with pytest.raises(DlexpError, match=f"{name}: .*restore it from a copy"):
        readers[name]()
    with pytest.raises(OSError, match="no regular file"):
        read_bytes(path)


def test_files_of_a_run_are_opened_for_writing_in_one_place():
    root = Path(dlexp.__file__).parent
    openers = set()
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and _writes(node):
                openers.add(".".join(path.relative_to(root).with_suffix("").parts))
    assert openers == OPENERS


def _writes(call: ast.Call) -> bool:
    """Say whether a call opens a file for writing: `open`, `Path.open`, `Path.write_text`, `Path.write_bytes`."""
    if isinstance(call.func, ast.Attribute) and call.func.attr in ("write_text", "write_bytes"):
        return len(call.args) == 1
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    modes = [node.value for node in ast.walk(call) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return name == "open" and any(mode and set(mode) <= set("rwabx+t") and set(mode) & set("wax+") for mode in modes)
