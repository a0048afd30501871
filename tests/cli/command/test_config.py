"""`dlexp config` as a user runs it: the resolved YAML, and every refusal as one line with exit code 2."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from dlexp.error import error_line
from tests import command, option

DLEXP = Path(sys.executable).parent / "dlexp"
HERE = Path()
MODELS = option.names("model")
DEEP = option.having("model", "depth")


def run(*arguments, cwd=HERE):
    return command.run(cwd, *arguments)


def test_the_yaml_can_be_read_back(tmp_path):
    done = run("config", "model=resnet", "model.depth=34", "optimizer.lr=1e-3", cwd=tmp_path)
    config = yaml.safe_load(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert config["model"]["depth"] == 34
    assert config["optimizer"]["lr"] == 0.001
    assert list(tmp_path.iterdir()) == []


def test_json_is_the_same_document():
    assert json.loads(run("config", "--json", "seed=5").stdout) == yaml.safe_load(run("config", "seed=5").stdout)


def test_quiet_prints_nothing():
    done = run("config", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


REFUSALS = [
    # unknown keys, groups and options
    ("model.depth=18", f"unknown key model.depth: it has no effect here; model={DEEP} has it"),
    ("model=resnet model.dpeth=18", "unknown key model.dpeth; did you mean model.depth?"),
    ("modle=resnet", "unknown key modle; did you mean model?"),
    ("model=resnt", f"model: got resnt; choose one of {MODELS}; did you mean resnet?"),
    # types, ranges and choices
    ("optimizer.lr=abc", "optimizer.lr: got abc; a number > 0 is needed"),
    ("dropout=inverted dropout.p=1", "dropout.p: got 1; a number in [0, 1) is needed"),
    ("trainer.epochs=1.5", "trainer.epochs: got 1.5; an integer >= 1 is needed"),
    ("model=resnext model.depth=51", "model.depth: got 51; choose one of 50, 101, 152"),
    # missing values, all at once
    ("data=csv", "missing values: data.path, data.target; set each as key=value"),
    # settings without effect
    (
        "optimizer=adagrad optimizer.momentum=0.9",
        "unknown key optimizer.momentum: it has no effect here; optimizer=momentum|nesterov has it",
    ),
    ("dropout.p=0.5", "unknown key dropout.p: it has no effect here; dropout=classic|inverted has it"),
    ("model=softmax norm=layer", "norm: has no effect; model=softmax uses no norm"),
    ("trainer.min_delta=0.1", "trainer.min_delta: has no effect; early stopping is off; set trainer.patience"),
    # targets
    (
        "model._target_=os.system",
        "model._target_: got os.system; only dlexp and trusted packages are built",
    ),
    (
        "model._target_=dlexp.build.build",
        "model._target_: got dlexp.build.build; the target of a shipped option is needed",
    ),
    # not overrides, and sweep expressions
    ("hello", "'hello': not an override; write key=value, for example optimizer.lr=0.1"),
    ("model=[", f"model: got [; choose one of {MODELS}"),
    (
        "seed=1,2",
        "seed: got the sweep expression seed=1,2; use `dlexp sweep seed=1,2` to search, or `dlexp cv seed=1,2` to "
        "cross-validate each",
    ),
    (
        "optimizer.lr=tag(log,interval(1e-5,1e-1))",
        "optimizer.lr: got the sweep expression optimizer.lr=tag(log,interval(1e-5,1e-1)); "
        "use `dlexp sweep optimizer.lr='tag(log,interval(1e-5,1e-1))'` to search, or "
        "`dlexp cv optimizer.lr='tag(log,interval(1e-5,1e-1))'` to cross-validate each",
    ),
    ("hydra.run.dir=x", "hydra.run.dir: Hydra's runtime settings do not apply here; remove it"),
    ("seed=1 seed=2", "seed: got two values; the first would have no effect, so remove one"),
    ("seed=${seed}", "seed: Recursive interpolation detected"),
    # folders
    ("--config-dir /nowhere", "--config-dir: got /nowhere; a folder that exists is needed"),
]


@pytest.mark.parametrize(("line", "message"), REFUSALS, ids=[line for line, _ in REFUSALS])
def test_refusals(line, message):
    done = run("config", *line.split(" "))
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"config error: {message}\n")


@pytest.mark.parametrize(("line", "message"), [REFUSALS[1], REFUSALS[3], REFUSALS[8]])
def test_refusals_as_json(line, message):
    done = run("config", "--json", *line.split(" "))
    assert json.loads(done.stdout) == {"error": error_line("config", message)}
    assert (done.returncode, done.stderr) == (2, f"config error: {message}\n")


@pytest.mark.parametrize("words", [["train"], ["train", "--dry-run"], ["train", "--quiet"]])
def test_train_refuses_alike_and_leaves_no_trace(words, tmp_path):
    done = run(*words, "optimizer.lr=1,2", cwd=tmp_path)
    message = (
        "optimizer.lr: got the sweep expression optimizer.lr=1,2; use `dlexp sweep optimizer.lr=1,2` to search, or "
        "`dlexp cv optimizer.lr=1,2` to cross-validate each"
    )
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"config error: {message}\n")
    assert list(tmp_path.iterdir()) == []


def test_debug_shows_the_traceback():
    done = subprocess.run([DLEXP, "config", "--debug", "seed=x"], capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "Traceback" in done.stderr
    assert "ConfigError: seed: got x; an integer >= 0 is needed" in done.stderr


def test_a_home_that_the_shell_left_to_the_program_is_found(tmp_path, monkeypatch, command):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other" / "optimizer").mkdir(parents=True)
    (tmp_path / "other" / "optimizer" / "mine.yaml").write_text("defaults: [sgd, _self_]\nlr: 0.2\n")
    code, out, err = command("config", "--config-dir=~/other", "optimizer=mine", "runs_dir=~/R")
    assert (code, err) == (0, "")
    assert "lr: 0.2\n" in out
    assert f"runs_dir: {tmp_path}/R\n" in out
    code, out, err = command("runs", "--runs-dir=~/R")
    assert f"{tmp_path}/R: no runs yet" in out + err
