"""`dlexp options`: the table, one option with its parameters, the JSON document."""

import io
import json
from importlib import import_module
from pathlib import Path

import pytest
from rich.console import Console

from dlexp.config.catalog import list_groups
from dlexp.config.options import describe_options
from tests import command

HERE = Path()
show_option = import_module("dlexp.cli.view.options").show_option  # installed from cli/, unseen by type checkers


def run(*arguments, cwd=HERE):
    return command.run(cwd, *arguments)


def test_every_group_and_option_is_listed():
    done = run("options")
    assert (done.returncode, done.stderr) == (0, "")
    words = set(done.stdout.split())
    for group, options in list_groups().items():
        assert {group, *options} <= words


def test_one_option_shows_its_source_and_parameters():
    text = run("options", "optimizer", "adam").stdout
    assert "optimizer.betas=[0.9,0.999]" in text
    assert "Kingma" in text
    assert "a number > 0" in text
    assert "optimizer=sgd" not in text


def test_on_a_narrow_terminal_a_parameter_is_broken_at_words_alone():
    stream = io.StringIO()
    for name, choice in describe_options("optimizer", "adam", None)["optimizer"].items():
        show_option(Console(file=stream, force_terminal=True, width=60, color_system=None), "optimizer", name, choice)
    lines = stream.getvalue().splitlines()
    assert max(map(len, lines)) <= 60
    assert "  optimizer.betas=[0.9,0.999]" in [line.rstrip() for line in lines]
    assert "…" not in stream.getvalue()
    assert "Fractions of the running means of gradient and square kept" in " ".join(stream.getvalue().split())


def test_the_default_comes_first():
    assert next(iter(json.loads(run("options", "--json").stdout)["norm"])) == "batch"


def test_json_has_the_documented_keys():
    groups = json.loads(run("options", "--json").stdout)
    assert {group: sorted(options) for group, options in groups.items()} == list_groups()
    momentum = groups["optimizer"]["momentum"]
    assert set(momentum) == {"doc", "source", "parameters"}
    assert momentum["parameters"]["lr"]["default"] == 0.1
    assert momentum["parameters"]["lr"]["type"] == "a number > 0"
    assert momentum["parameters"]["lr"]["doc"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["optimiser"], "did you mean optimizer?"),
        (["norm", "bach"], "norm: got bach; choose one of batch, group, instance, layer, none; did you mean batch?"),
        (["model", "mlp", "--config-dir", "/nowhere"], "--config-dir: got /nowhere; a folder that exists is needed"),
    ],
)
def test_refusals(arguments, message):
    done = run("options", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("config error: ")
    assert done.stderr.endswith(f"{message}\n")


def test_a_users_option_is_listed_with_its_own_documentation(tmp_path):
    (tmp_path / "own" / "model").mkdir(parents=True)
    (tmp_path / "own" / "model" / "mynet.yaml").write_text("# Mine.\n_target_: my_package.MyNet\nwidth: 7\n")
    (tmp_path / "my_package.py").write_text(
        'class MyNet:\n    """My net.\n\n    Args:\n        width: Units.\n    """\n\n'
        "    def __init__(self, width: int = 5, *, in_shape, num_outputs):\n        pass\n"
    )
    done = run("options", "model", "mynet", "--json", "--config-dir", "own", cwd=tmp_path)
    parameters = {"width": {"default": 7, "type": "an integer", "doc": "Units."}}
    assert json.loads(done.stdout) == {"model": {"mynet": {"doc": "My net.", "source": "", "parameters": parameters}}}
