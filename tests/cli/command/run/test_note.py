"""`dlexp note` as a user runs it."""

import json


def test_a_note_and_tags_are_written_and_shown(command, fake_run):
    folder = fake_run().folder
    place = ["--runs-dir", str(folder.runs_dir)]
    assert command("note", "last", "odd [curve]", "--tag", "bad", "--tag", "old", *place)[0] == 0
    assert command("note", "last", "--untag", "old", *place)[0] == 0
    code, out, _ = command("note", "last", *place)
    assert (code, out.splitlines()) == (0, [f"run   {folder.run_id}", "note  odd [curve]", "tags  bad"])
    code, out, _ = command("note", "last", "--json", *place)
    assert json.loads(out) == {"run_id": folder.run_id, "note": "odd [curve]", "tags": ["bad"]}
    assert command("runs", "--tag", "bad", *place)[1].split()[0] == "run"


def test_what_cannot_be_written_is_one_line(command, fake_run):
    place = ["--runs-dir", str(fake_run().folder.runs_dir)]
    for arguments in (["--tag", "two words"], ["--untag", "none"], ["x" * 10_001]):
        code, out, err = command("note", "last", *arguments, *place)
        assert (code, out, err.count("\n")) == (2, "", 1)
