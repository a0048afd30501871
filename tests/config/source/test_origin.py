"""The origin of every value is the line that states it."""

from pathlib import Path

import pytest
import yaml

from dlexp.config.catalog import conf_folder, list_groups, list_jobs
from dlexp.config.resolve import resolve
from dlexp.config.source.origin import origins, to_yaml

EXTRA = {
    "csv": ["data.path=x", "data.target=y"],
    **{name: ["data.path=x"] for name in ("image_folder", "pair_folder", "pair_csv")},
    "arrays": ["data.path=x"],
}
IN_TRAIN = [group for group in list_groups() if group not in ("search", "cv", "launcher", "experiment")]


@pytest.mark.parametrize("group", IN_TRAIN)
def test_the_line_of_every_shipped_value_states_it(group):
    for option in list_groups()[group]:
        table = origins(resolve([f"{group}={option}", *EXTRA.get(option, [])]))
        for key, record in table.items():
            if record["source"] != "shipped":
                assert record["source"] in ("command line", "class")
                continue
            path, line = conf_folder().parent / str(record["file"]), int(record["line"] or 0)
            text = path.read_text().splitlines()[line - 1].strip()
            assert text.partition(":")[0] == key.rpartition(".")[2]
            if not text.partition(":")[2].strip().startswith(("[", "{")):
                value = yaml.safe_load(text.partition(":")[2])
                assert value == record["value"] or float(value) == record["value"]


def test_what_comes_later_wins(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in {
        "mine/optimizer/mine.yaml": "defaults: [sgd, _self_]\n\nlr: 0.5\n",
        "mine/experiment/e.yaml": "# @package _global_\ndefaults:\n  - override /model: vgg\ntrainer:\n  epochs: 2\n",
        "dlexp.toml": '# mine\nruns_dir = "R"\n',
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    overrides = ["experiment=e", "optimizer=mine", "seed=3", "augment=[cutout]", "optimizer.biases=true"]
    overrides += ["optimizer.weight_decay=0.1"]
    composed = resolve(overrides, Path("mine"))
    table = origins(composed)
    assert {key: (record["source"], record["file"], record["line"]) for key, record in table.items()}.items() >= {
        "optimizer.lr": ("file", "mine/optimizer/mine.yaml", 3),
        "optimizer._target_": ("shipped", "conf/optimizer/sgd.yaml", 2),
        "optimizer.biases": ("command line", None, None),
        "trainer.epochs": ("file", "mine/experiment/e.yaml", 5),
        "seed": ("command line", None, None),
        "augment.steps": ("command line", None, None),
        "runs_dir": ("default", str(tmp_path / "dlexp.toml"), 2),
        "tracking.uri": ("shipped", "conf/tracking/mlflow.yaml", 3),
    }.items()
    choosers = {key.partition(".")[0]: record["chosen_by"] for key, record in table.items()}
    assert (choosers["optimizer"], choosers["model"], choosers["norm"], choosers["data"]) == (
        "command line",
        "experiment=e",
        "model=vgg",
        None,
    )
    text = to_yaml(table)
    assert yaml.safe_load(text) == composed.config
    assert f"{'  lr: 0.5':<48}  # mine/optimizer/mine.yaml:3\n" in text


def test_a_jobs_own_file_comes_after_the_options(tmp_path):
    for job in list_jobs():
        table = origins(resolve([], job=job), job)
        expected = "conf/trainer/default.yaml" if job == "train" else f"conf/{job}.yaml"
        assert table["trainer.threads"]["file"] == expected


def test_what_no_file_states_comes_from_the_class(tmp_path):
    (tmp_path / "optimizer").mkdir()
    (tmp_path / "optimizer" / "mine.yaml").write_text("_target_: dlexp.optimizer.sgd.SGD\n")
    assert origins(resolve(["optimizer=mine"], tmp_path))["optimizer.lr"] == {
        "value": 0.1,
        "source": "class",
        "file": None,
        "line": None,
        "chosen_by": "command line",
    }
