"""`dlexp init` writes a project in which every command of its README runs."""

import json
import re
import shlex
import subprocess
import sys

from tests.command import run

SMALL = {"train": ["trainer.epochs=1"], "sweep": ["trainer.epochs=1", "seed=0"], "cv": ["trainer.epochs=1", "cv.k=2"]}


def test_every_command_of_its_readme_runs(tmp_path):
    done = run(tmp_path, "init", "mine", "--json")
    written = json.loads(done.stdout)
    assert (done.returncode, written["folder"]) == (0, "mine")
    assert "pytest my_parts" in done.stderr
    folder = tmp_path / "mine"
    commands = re.findall(r"^\$ (.*)$", (folder / "README.md").read_text(), re.M)
    assert [shlex.split(command)[:2] for command in commands] == [
        ["pytest", "my_parts"],
        ["dlexp", "train"],
        ["dlexp", "sweep"],
        ["dlexp", "cv"],
        ["dlexp", "report"],
    ]
    with subprocess.Popen(
        [sys.executable, "-m", *shlex.split(commands[0]), "-q", "-p", "no:cacheprovider"],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    ) as tested:
        for command in commands[1:]:
            _, job, *words = shlex.split(command)
            small = [*SMALL[job], "tracking=none", "data.limit=100"] if job in SMALL else []
            done = run(folder, job, *words, *small)
            assert done.returncode == 0, done.stderr
            assert "note:" not in done.stderr
        out, _ = tested.communicate(timeout=120)
    assert tested.returncode == 0, out
    runs = [path.parent.name for path in sorted((folder / "runs").glob("*/*/manifest.json"))]
    assert len(runs) == 3
    assert list((folder / "runs").glob("*/*/report.html"))


def test_a_folder_with_something_in_it_is_one_line(tmp_path):
    (tmp_path / "x").write_text("")
    done = run(tmp_path, "init", ".")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "config error: DIR: got ., which is not empty; name a folder that is absent or empty\n"
