"""The commands that go on with a run are whole: pasted, they find it and draw as the first one was told to."""

import shlex

import pytest

from dlexp.error import RunError
from dlexp.figure.style.look import change_look, look
from dlexp.job.again import notes_of_done, resume_command
from dlexp.run.folder import RunFolder


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def make(runs_dir, kind="train", config=None):
        settings = config or {}
        folder = RunFolder.create(
            tmp_path / runs_dir, "x", kind, config=settings, overrides=[], manifest={"kind": kind}
        )
        folder.unlock()
        return folder

    return make


def test_a_run_where_commands_look_goes_by_its_id_and_another_by_its_folder(run, tmp_path):
    near, far = run("runs"), run("my runs", "cv")
    assert resume_command(near) == f"dlexp train --resume {near.run_id}"
    assert shlex.split(resume_command(far)) == ["dlexp", "cv", "--resume", str(far.path)]


def test_the_folder_of_the_projects_defaults_is_where_commands_look(run, tmp_path):
    (tmp_path / "dlexp.toml").write_text("runs_dir = 'my runs'\n")
    near = run("my runs", "sweep")
    assert resume_command(near) == f"dlexp sweep --resume {near.run_id}"


def test_what_lies_inside_a_sweep_goes_on_with_the_sweep(run):
    sweep = run("runs", "sweep")
    trial = RunFolder.create(sweep.path, "trials", "t", config={}, overrides=[], manifest={"kind": "trial"})
    trial.unlock()
    assert resume_command(trial) == f"dlexp sweep --resume {sweep.run_id}"


def test_figures_are_drawn_as_before(run, request):
    usual = vars(look())
    request.addfinalizer(lambda: change_look(**usual))
    change_look(format="pdf", width=8 / 2.54, height=6.5 / 2.54, dpi=300)
    folder = run("runs")
    flags = "--figure-format pdf --figure-size 8x6.5 --figure-dpi 300"
    assert resume_command(folder, "--test") == f"dlexp train --resume {folder.run_id} --test {flags}"


@pytest.mark.parametrize(("kind", "word"), [("train", "run"), ("cv", "cv")])
def test_there_is_nothing_to_resume_of_what_is_done_unless_its_configuration_was_edited(run, kind, word):
    folder = run("runs", kind, {"seed": 3})
    folder.update_manifest(status="finished")
    assert notes_of_done(folder) == [f"{word} {folder.run_id} is finished; there is nothing to resume"]
    (folder.path / "config.yaml").write_text("seed: 4\n")
    with pytest.raises(RunError, match=r"config.yaml: was edited after the run began"):
        notes_of_done(RunFolder.open(folder.path))
