"""What docs/configure.md says is so: its table of options, and its example of a user's own classes, run elsewhere."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from dlexp.config.catalog import EXPERIMENT, default_choices, list_groups
from dlexp.config.resolve import resolve
from dlexp.engine.event import EpochEnd
from dlexp.job.train import train
from dlexp.run import scan

PAGE = (Path(__file__).parents[2] / "docs" / "configure.md").read_text(encoding="utf-8")
GROUPS = dict(re.findall(r"^\| `(\w+)` \| ([\w, ]+)", PAGE.partition("| group |")[2].partition("\n\n")[0], re.M))
JOBS = {"search": "sweep", "cv": "cv", "launcher": "sweep"}


def test_every_group_is_listed():
    assert set(GROUPS) == set(list_groups()) - {EXPERIMENT}  # docs/recipes.md lists those


@pytest.mark.parametrize("group", [group for group in GROUPS if group != "trainer"])
def test_every_option_is_listed_the_default_first(group):
    said = re.findall(r"\w+", GROUPS[group])
    options = [option for option in list_groups()[group] if option != "compose"]
    assert sorted(said) == sorted(options)
    assert said[0] == default_choices(JOBS.get(group, "train"))[group]


def write_examples(folder: Path) -> None:
    """Write each fenced block whose first line is a comment with a file's name."""
    for name, content in re.findall(r"^```\w+\n# (\S+\.(?:py|yaml))\n(.*?)^```$", PAGE, re.M | re.S):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)


def test_own_model_trains_and_resumes(tmp_path, monkeypatch):
    write_examples(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    command = re.search(r"^\$ dlexp train --config-dir conf (trusted=.*)$", PAGE, re.M)
    assert command is not None
    overrides = [*command[1].split(), "tracking=none", "trainer.epochs=3", "trainer.threads=1"]
    accuracies = []

    def announce(about):
        about.built.run.trainer = replace(about.built.run.trainer, epochs=5)
        return lambda event: accuracies.append(event.metrics["val/accuracy"]) if isinstance(event, EpochEnd) else None

    def announce_and_stop(about):
        def stop(event):
            if isinstance(event, EpochEnd):
                raise KeyboardInterrupt

        return stop

    with pytest.raises(KeyboardInterrupt):
        train.start(resolve(overrides, Path("conf")), announce=announce_and_stop)
    assert scan.scan(Path("runs"))[0]["status"] == "interrupted"
    outcome = train.resume("last", Path("runs"), announce=announce)
    assert (outcome.result["status"], outcome.result["epochs"]) == ("finished", 5)
    assert outcome.result["num_params"] == 2 * (64 * 10 + 10) + (64 * 64 + 64) + 2 * 64
    assert accuracies[-1] > 0.85
