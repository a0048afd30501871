"""A user's own YAML and class, from a folder outside this repository."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dlexp.config.resolve import resolve
from dlexp.config.signature import read
from dlexp.error import ConfigError
from tests import command, option
from tests.user_code import write

DLEXP = Path(sys.executable).parent / "dlexp"


@pytest.fixture
def folder(tmp_path):
    return write(tmp_path)


def run(cwd, *arguments):
    return subprocess.run([DLEXP, *arguments], cwd=cwd, capture_output=True, text=True, timeout=120)


USE = ["--config-dir", "own", "model=mynet"]
FILE = "own/model/mynet.yaml"
RULES = ["--config-dir", "own", "optimizer=sign", "schedule=root"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            [*USE],
            "model._target_: got my_package.MyNet; only dlexp and trusted packages are built: trusted=[my_package] "
            f"({FILE}, line 2)",
        ),
        (
            [*USE, "trusted=[other]"],
            "model._target_: got my_package.MyNet; only dlexp and trusted packages are built: trusted=[my_package] "
            f"({FILE}, line 2)",
        ),
        ([*USE, "trusted=[my_package]", "model.widht=3"], "unknown key model.widht; did you mean model.width?"),
        ([*USE, "trusted=[my_package]", "model.width=x"], "model.width: got x; an integer is needed"),
        (
            [*USE, "trusted=[my_package]", "model.depth=3"],
            f"unknown key model.depth: it has no effect here; model={option.having('model', 'depth')} has it",
        ),
        ([*USE, "trusted=[my_package]", "norm=layer"], "norm: has no effect; model=mynet uses no norm"),
        (
            ["--config-dir", "own", "schedule=root", "trusted=[other]"],
            "schedule._target_: got my_package.InverseRoot; "
            "only dlexp and trusted packages are built: trusted=[my_package] (own/schedule/root.yaml, line 2)",
        ),
        (
            [*RULES, "trusted=[my_package]", "optimizer.momentum=0.9"],
            "unknown key optimizer.momentum: it has no effect here; optimizer=momentum|nesterov has it",
        ),
        ([*RULES, "trusted=[my_package]", "schedule.scale=x"], "schedule.scale: got x; a number is needed"),
        (
            ["--config-dir", "own", "model=mynets"],
            f"model: got mynets; choose one of {option.names('model', 'gated', 'mynet')}; did you mean mynet?",
        ),
    ],
)
def test_refusals(folder, arguments, message):
    done = command.run(folder, "config", *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"config error: {message}\n")


def test_a_trusted_class_is_accepted(folder):
    done = run(folder, "config", "--json", *USE, "trusted=[my_package]")
    assert json.loads(done.stdout)["model"] == {"_target_": "my_package.MyNet", "width": 7}


def test_own_rules_are_accepted_and_listed(folder):
    done = run(folder, "config", "--json", *RULES, "trusted=[my_package]", "optimizer.lr=0.5")
    config = json.loads(done.stdout)
    assert config["optimizer"] == {"_target_": "my_package.SignDescent", "lr": 0.5}
    assert config["schedule"] == {"_target_": "my_package.InverseRoot", "scale": 3.0}
    listed = json.loads(run(folder, "options", "optimizer", "sign", "--config-dir", "own", "--json").stdout)
    assert listed["optimizer"]["sign"]["doc"] == "Steps of equal length."
    assert listed["optimizer"]["sign"]["parameters"]["lr"] == {
        "default": 0.001,
        "type": "a number > 0",
        "doc": "Step size per update.",
    }


@pytest.mark.slow
def test_trusted_classes_are_trained(folder):
    use_and_rules = [*USE, *RULES[2:], "trusted=[my_package]"]
    done = run(folder, "train", "--json", *use_and_rules, "trainer.epochs=1", "tracking=none", "data.limit=200")
    assert done.returncode == 0, done.stderr
    params = 64 * 7 + 7 + 7 * 10 + 10
    assert json.loads(done.stdout)["num_params"] == params


@pytest.fixture
def here(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", list(sys.path))
    read.cache_clear()
    yield folder
    read.cache_clear()


def refused(text, here):
    (here / "own" / "model" / "mynet.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        resolve(["model=mynet", "trusted=[my_package]"], Path("own"))
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "_target_: my_package.MyNte\n",
            "_target_: got my_package.MyNte; no class or function MyNte is defined there; did you mean MyNet?",
        ),
        (
            "_target_: my_pakcage.MyNet\n",
            "model._target_: got my_pakcage.MyNet; only dlexp and trusted packages are built: trusted=[my_pakcage] "
            f"({FILE}, line 1)",
        ),
        (
            "_target_: dlexp.disk.durable.write\n",
            f"model._target_: got dlexp.disk.durable.write; the target of a shipped option is needed ({FILE}, line 1)",
        ),
        ("_target_: my_package.MyNet\nwidth: 7.5\n", f"model.width: got 7.5; an integer is needed ({FILE}, line 2)"),
        ("_target_: my_package.MyNet\nwidth: ???\n", "missing values: model.width; set each as key=value"),
        (
            "_target_: my_package.MyNet\nwidht: 7\n",
            f"unknown key model.widht; did you mean model.width? ({FILE}, line 2)",
        ),
        (
            "_target_: [my_package.MyNet]\n",
            f"model._target_: got [my_package.MyNet]; the dotted path of a class is needed ({FILE}, line 1)",
        ),
        (
            "width: 7\n",
            f"model: got {{width:7}}; choose one of {option.names('model', 'gated', 'mynet')} "
            f"({FILE} states no _target_)",
        ),
        ("_target_: my_package.MyNet\nwidth: ${nothing}\n", "model.width: Interpolation key 'nothing' not found"),
    ],
)
def test_files_with_mistakes(here, text, message):
    assert refused(text, here) == message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "_target_: my_package.MyNet\nwidth: !!python/object/apply:os.system ['touch pwned']\n",
        "_target_: my_package.MyNet\nwidth: 1\nwidth: 2\n",
        "_target_: my_package.MyNet\n---\nwidth: 2\n",
        "defaults: [nowhere]\n_target_: my_package.MyNet\n",
        "defaults: [mynet]\n_target_: my_package.MyNet\n",
        "defaults: 3\n_target_: my_package.MyNet\n",
        "defaults:\n  - override /nothing@_global_.x: y\n_target_: my_package.MyNet\n",
        "1: 2\n_target_: my_package.MyNet\n",
        "[1, 2]: 2\n_target_: my_package.MyNet\n",
        "_target_: my_package.MyNet\nwidth: ${width}\n",
        "_target_: my_package.MyNet\nwidth: &a [*a]\n",
        "_target_: \ud7ff\n",
        "# @package other\n_target_: my_package.MyNet\n",
    ],
)
def test_odd_files_are_refused_in_words(here, text):
    assert refused(text, here)
    assert not (here / "pwned").exists()


def test_what_would_hurt_is_refused_quickly(folder):
    levels = [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 6)]
    (folder / "own" / "model" / "bomb.yaml").write_text("\n".join([f"a0: &a0 [{', '.join('x' * 10)}]", *levels]))
    started = time.perf_counter()
    done = run(folder, "config", "--config-dir", "own")
    assert (done.returncode, done.stdout) == (2, "")
    assert "own/model/bomb.yaml: got more than 20,000 values" in done.stderr
    with (folder / "own" / "model" / "bomb.yaml").open("wb") as file:
        file.truncate(100_000_000)
    done = run(folder, "config", "--config-dir", "own")
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        done.stderr
        == "config error: own/model/bomb.yaml: got 100,000,000 bytes; a config file of at most 1,000,000 is read\n"
    )
    assert time.perf_counter() - started < 30  # expanded, the bomb takes a minute and 400 MB
