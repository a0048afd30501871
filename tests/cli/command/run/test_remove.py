"""`dlexp rm` as a user runs it: there, back, and gone for good."""

import json
import shlex

import pytest


@pytest.fixture
def folder(fake_run):
    run = fake_run()
    run.end()
    run.folder.unlock()
    return run.folder


def test_a_run_goes_to_the_trash_comes_back_and_is_deleted(command, folder):
    place = ["--runs-dir", str(folder.path.parent.parent)]
    run_id = folder.run_id
    code, out, _ = command("rm", run_id, *place)
    assert (code, folder.path.exists()) == (0, False)
    assert out.splitlines()[1] == f"back again  dlexp rm --restore {run_id} {shlex.join(place)}"
    assert "no runs yet" in command("runs", *place)[1]
    assert command("rm", *place)[1].startswith(f"{run_id}  in the trash")
    assert command("rm", "--restore", run_id, *place)[0] == 0
    assert folder.path.exists()
    command("rm", "last", *place)
    code, out, _ = command("rm", "--empty", "--json", *place)
    assert [record["run_id"] for record in json.loads(out)] == [run_id]
    assert command("rm", *place)[1] == "the trash is empty\n"


@pytest.mark.parametrize("arguments", [["--empty", "last"], ["--restore"], ["zzz"], ["--restore", "zzz"]])
def test_what_cannot_be_done_is_one_line_and_changes_nothing(command, folder, arguments):
    code, out, err = command("rm", *arguments, "--runs-dir", str(folder.path.parent.parent))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert folder.path.exists()
