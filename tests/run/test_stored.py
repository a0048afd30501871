"""A run folder from elsewhere runs no code that the user never named, and an edited configuration is noticed."""

import hashlib
import io
import json
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

from dlexp.config import trust
from dlexp.config.resolve import resolve
from dlexp.config.wording import show
from dlexp.engine import checkpoint
from dlexp.error import DlexpError, RunError
from dlexp.job.cv import cv
from dlexp.job.inference.evaluate import evaluate
from dlexp.job.inference.predict import predict
from dlexp.job.sweep import sweep
from dlexp.job.sweep.winner import recipe
from dlexp.job.train import train
from dlexp.job.train.verify import verify
from dlexp.run.folder import RunFolder

QUICK = ["data.limit=40", "trainer.batch_size=8", "trainer.epochs=1", "model.widths=[4]", "tracking=none"]
EVIL = (
    "from pathlib import Path\n\nPath('pwned').write_text('')\n\n\nclass Net:\n    def __init__(self):\n        pass\n"
)
MODEL = """
import torch


class Net(torch.nn.Module):
    def __init__(self, *, in_shape, num_outputs):
        super().__init__()
        self.output = torch.nn.Linear(in_shape[-1] * in_shape[-2], num_outputs)

    def forward(self, x):
        return self.output(x.flatten(1))
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A working directory; nothing is granted to this process."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(trust, "_granted", set())
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


@pytest.fixture
def folder(place):
    outcome = train.start(resolve([*QUICK, "runs_dir=runs"]), announce=lambda _about: lambda _event: None)
    return RunFolder(Path(outcome.result["run_dir"]))


def rewrite(folder: RunFolder, change) -> None:
    """Change a configuration as an attacker would, with a hash that fits."""
    config = yaml.safe_load((folder.path / "config.yaml").read_text())
    change(config)
    text = yaml.dump(config)
    (folder.path / "config.yaml").write_text(text)
    manifest = json.loads((folder.path / "manifest.json").read_text())
    manifest["config_sha256"] = hashlib.sha256(text.encode()).hexdigest()
    (folder.path / "manifest.json").write_text(json.dumps(manifest | {"status": "interrupted"}))


def add_overrides(path: Path, lines: str) -> None:
    """Add overrides as an attacker would, with a hash that fits."""
    text = (path / "overrides.txt").read_text() + lines
    (path / "overrides.txt").write_text(text)
    manifest = json.loads((path / "manifest.json").read_text())
    manifest["overrides_sha256"] = hashlib.sha256(text.encode()).hexdigest()
    (path / "manifest.json").write_text(json.dumps(manifest))


def commands(folder: RunFolder):
    inputs = folder.path.parent.parent / "x.npy"
    yield lambda: train.resume("last", Path("runs"), announce=lambda _about: lambda _event: None)
    yield lambda: evaluate("last", Path("runs"), "val")
    yield lambda: predict("last", Path("runs"), [inputs])
    yield lambda: verify("last", Path("runs"))


TARGETS = [
    "subprocess.Popen",
    "os.system",
    "builtins.exec",
    "torch.serialization.load",
    "torch.hub.load",
    "dlexp.disk.durable.write_bytes",
    "dlexp.run.folder.RunFolder",
    "evil.Net",
]


@pytest.mark.parametrize("group", ["model", "optimizer", "tracking", "augment", "seeds"])
@pytest.mark.parametrize("target", TARGETS)
def test_no_command_builds_a_target_that_a_folder_names(folder, group, target):
    Path("evil.py").write_text(EVIL)
    node = {"_target_": target, "args": ["touch", "pwned"]}
    rewrite(folder, lambda config: config.update({group: node, "trusted": []}))
    for command in commands(folder):
        with pytest.raises(DlexpError, match="_target_"):
            command()
    assert not Path("pwned").exists()


@pytest.mark.parametrize("package", ["evil", "subprocess", "os"])
def test_a_folder_cannot_vouch_for_code(folder, package):
    Path("evil.py").write_text(EVIL)

    def change(config):
        config["trusted"] = [package]
        config["model"] = {"_target_": f"{package}.Net" if package == "evil" else "subprocess.Popen"}

    rewrite(folder, change)
    for command in commands(folder):
        with pytest.raises(DlexpError) as caught:
            command()
        assert "trusted=[" not in str(caught.value)
    assert not Path("pwned").exists()


class Silent:
    """Hears of a sweep and keeps it to itself."""

    def listen(self, event):
        pass

    def close(self):
        pass


def test_overrides_of_a_folder_are_not_the_user_s_words(place):
    Path("evil.py").write_text(EVIL)
    sweep.start([*QUICK, "optimizer.lr=0.1,0.2", "runs_dir=runs"], None, announce=lambda _about: Silent())
    (path,) = Path("runs").glob("*/*-grid-lr")
    add_overrides(path, "trusted=[evil]\nmodel._target_=evil.Net\n")
    with pytest.raises(RunError, match="runs code of 'evil', which you have not named"):
        sweep.resume("last", Path("runs"), None, announce=lambda _about: Silent())
    assert not Path("pwned").exists()


def test_overrides_of_a_cv_are_not_the_user_s_words(place):
    Path("evil.py").write_text(EVIL)
    cv.start([*QUICK, "cv.k=2", "runs_dir=runs"], announce=lambda _about: lambda _end: None)
    (path,) = (manifest.parent for manifest in Path("runs").glob("*/*/manifest.json"))
    add_overrides(path, "trusted=[evil]\n")
    manifest = json.loads((path / "manifest.json").read_text())
    (path / "manifest.json").write_text(json.dumps(manifest | {"status": "interrupted"}))
    with pytest.raises(RunError, match="runs code of 'evil', which you have not named"):
        cv.resume("last", Path("runs"), announce=lambda _about: lambda _end: None)
    assert not Path("pwned").exists()


def test_code_that_the_user_named_once_is_known_in_its_place_and_nowhere_else(place, monkeypatch):
    Path("mine.py").write_text(MODEL)
    Path("nets/model").mkdir(parents=True)
    Path("nets/model/net.yaml").write_text("_target_: mine.Net\n")
    settings = [setting for setting in QUICK if not setting.startswith("model.")]
    composed = resolve([*settings, "model=net", "trusted=[mine]", "runs_dir=runs"], Path("nets"))
    train.start(composed, announce=lambda _about: lambda _event: None)
    monkeypatch.setattr(trust, "_granted", set())
    assert evaluate("last", Path("runs"), "val")["metrics"]["val/accuracy"] >= 0
    monkeypatch.setattr(trust, "_granted", set())
    elsewhere = place / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry != str(place)])
    monkeypatch.chdir(elsewhere)
    assert evaluate("last", place / "runs", "val")["num_examples"]  # it is no module here: looked for in its place
    monkeypatch.setattr(trust, "_granted", set())
    (elsewhere / "mine.py").write_text(MODEL)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry != str(place)])
    with pytest.raises(RunError, match="--trust"):
        evaluate("last", place / "runs", "val")
    trust.grant(["mine"])
    assert evaluate("last", place / "runs", "val")["num_examples"]


@pytest.mark.parametrize("name", ["subprocess", "os", "dlexp", "a.b", "", "x y"])
def test_what_cannot_be_trusted(name):
    with pytest.raises(DlexpError, match="trusted: got"):
        trust.grant([name])


@pytest.mark.parametrize(("key", "value"), [("seed", 5), ("train_on", "train+val")])
def test_a_configuration_that_was_edited_is_noticed(folder, key, value):
    path = folder.path / "config.yaml"
    path.write_text(re.sub(rf"^{key}: .*$", f"{key}: {value}", path.read_text(), flags=re.MULTILINE))
    for command in list(commands(folder))[1:]:
        with pytest.raises(RunError, match=r"config.yaml: was edited after the run began"):
            command()


@pytest.mark.parametrize("change", [{"seed": 5}, {"model.widths": [7]}, {"optimizer.lr": 0.3, "trainer.epochs": 9}])
def test_the_difference_to_what_the_run_began_with_is_told(folder, change):
    path = folder.path / "config.yaml"
    config = yaml.safe_load(path.read_text())
    before = {"seed": 0, "model.widths": [4], "optimizer.lr": 0.1, "trainer.epochs": 1}
    for key, value in change.items():
        node, _, name = key.rpartition(".")
        (config[node] if node else config)[name] = value
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    told = ", ".join(f"{key} is {show(value)}, was {show(before[key])}" for key, value in change.items())
    for command in list(commands(folder))[1:]:
        with pytest.raises(RunError, match=re.escape(f"trained with: {told}; restore it")):
            command()


def test_an_edited_option_is_told_by_its_target(folder):
    path = folder.path / "config.yaml"
    path.write_text(path.read_text().replace("dlexp.activation.ReLU", "dlexp.activation.Tanh"))
    with pytest.raises(
        RunError, match=r"activation\._target_ is dlexp\.activation\.Tanh, was dlexp\.activation\.ReLU; "
    ):
        evaluate("last", Path("runs"), "val")


def test_no_cure_offers_a_folder_s_target_for_trusted(place):
    sweep.start([*QUICK, "optimizer.lr=0.1,0.2", "runs_dir=runs"], None, announce=lambda _about: Silent())
    (path,) = Path("runs").glob("*/*-grid-lr")
    add_overrides(path, "model._target_=evil.Net\n")
    with pytest.raises(DlexpError, match="_target_") as caught:
        sweep.resume("last", Path("runs"), None, announce=lambda _about: Silent())
    assert "trusted=[" not in str(caught.value)


@pytest.fixture
def table(place):
    """A run on a table that was named relative to the working directory, which is then left for another."""
    project = place / "project"
    project.mkdir()
    os.chdir(project)
    rows = "\n".join(f"{i * 7 % 11},{i % 5},{i % 2}" for i in range(60))
    Path("t.csv").write_text(f"a,b,y\n{rows}\n")
    data = ["data=csv", "data.path=t.csv", "data.target=y", "runs_dir=runs"]
    train.start(resolve([*QUICK[1:], *data]), announce=lambda _about: lambda _event: None)
    os.chdir(place)
    return project


def test_data_of_a_relative_path_are_found_from_another_folder(table):
    runs = table / "runs"
    assert evaluate("last", runs, "val")["num_examples"]
    assert verify("last", runs)["is_bitwise"]
    (table / "t.csv").rename("t.csv")  # moved along with the user: found as it was given
    assert evaluate("last", runs, "val")["num_examples"]


def test_sweeps_and_cvs_of_a_relative_path_go_on_from_another_folder(table, monkeypatch):
    monkeypatch.chdir(table)
    typed = [*QUICK[1:], "data=csv", "data.path=t.csv", "data.target=y", "runs_dir=runs"]
    first = sweep.start([*typed, "optimizer.lr=0.1,0.2"], None, announce=lambda _about: Silent()).outcome.result
    whole = cv.start([*typed, "cv.k=2"], announce=lambda _about: lambda _end: None).result
    RunFolder.open(Path(whole["run_dir"])).update_manifest(status="interrupted")
    monkeypatch.chdir(table.parent)
    again = sweep.resume(first["run_id"], table / "runs", None, announce=lambda _about: Silent()).outcome.result
    assert (again["run_id"], again["trials"]) == (first["run_id"], first["trials"])
    winner = resolve(recipe(first["run_id"], table / "runs", []).overrides).config
    assert winner["data"]["path"] == str(table / "t.csv")
    resumed = cv.resume(whole["run_id"], table / "runs", announce=lambda _about: lambda _end: None).result
    assert [fold["metrics"] for fold in resumed["folds"]] == [fold["metrics"] for fold in whole["folds"]]
    assert not Path("runs").exists()


def test_other_data_at_the_path_are_refused(table):
    (table / "t.csv").write_text((table / "t.csv").read_text().replace("1,", "2,"))
    with pytest.raises(DlexpError, match="the data changed since"):
        evaluate("last", table / "runs", "val")


def test_a_pickle_in_a_checkpoint_is_refused_in_one_line(folder):
    class Attack:
        def __reduce__(self):
            return subprocess.check_call, (["touch", "pwned"],)

    last = folder.checkpoints / "last"
    buffer = io.BytesIO()
    torch.save({"epoch": Attack()}, buffer, pickle_module=pickle)
    (last / "state.pt").write_bytes(buffer.getvalue())
    manifest = json.loads((last / "manifest.json").read_text())
    digest = hashlib.sha256(buffer.getvalue()).hexdigest()
    manifest["files"]["state.pt"] |= {"size": len(buffer.getvalue()), "sha256": digest}
    (last / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(RunError) as caught:
        checkpoint.load(last)
    assert "\n" not in str(caught.value)
    assert "weights_only" not in str(caught.value)
    assert not Path("pwned").exists()
