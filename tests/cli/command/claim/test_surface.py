"""`dlexp surface` as a user types it."""

import json

import pytest
from PIL import Image
from PIL.GifImagePlugin import GifImageFile

from tests import command


def test_every_rule_is_there_the_soonest_first(tmp_path):
    document = json.loads(
        command.run(tmp_path, "surface", "quadratic", "--steps", "60", "--lr", "0.05", "--json").stdout
    )
    steps = [path["steps"] for path in document["paths"]]
    assert len(steps) == 7
    arrived = [count for count in steps if count is not None]
    assert arrived == sorted(arrived)
    assert steps[: len(arrived)] == arrived


@pytest.mark.usefixtures("drawn")
def test_a_figure_and_a_film_are_written(tmp_path, monkeypatch):
    monkeypatch.setattr("dlexp.figure.path.film.FRAMES", 12)
    files = ["--figure", "paths.png", "--film", "paths.gif"]
    done = command.run(tmp_path, "surface", "saddle", "--rule", "sgd", "--rule", "momentum", "--steps", "30", *files)
    assert done.returncode == 0, done.stderr
    with Image.open(tmp_path / "paths.png") as figure:
        assert figure.size[0] > 500
    with GifImageFile(tmp_path / "paths.gif") as film:
        assert film.n_frames > 5


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["quadratc"], "surface: got quadratc; allowed: "),
        (["quadratic", "--rule", "adm"], "rule: got adm; allowed: "),
        (["quadratic", "--lr", "0"], "Invalid value for '--lr'"),
        (["quadratic", "--figure", "x.docx"], "x.docx"),
    ],
)
def test_bad_input_is_one_line(tmp_path, words, line):
    done = command.run(tmp_path, "surface", *words)
    assert done.returncode == 2
    assert line in done.stderr
    assert done.stderr.count("\n") == 1
