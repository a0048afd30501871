"""The command line as a whole: help, usage errors, what is imported, broken pipes."""

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer

from tests import command

DLEXP = Path(sys.executable).parent / "dlexp"
APP = import_module("dlexp.cli.app").app  # installed from cli/, which type checkers cannot see
GROUP: Any = typer.main.get_command(APP)  # a group, of whichever copy of click Typer brings
COMMANDS = [name for name, made in GROUP.commands.items() if not made.hidden]
HEAVY = {"torch", "torchvision", "mlflow", "optuna", "matplotlib", "sklearn", "pandas"}


def run(*arguments):
    return command.run(Path(), *arguments)


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_lists_every_command_but_not_the_hidden_one(arguments):
    done = subprocess.run([DLEXP, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert set(COMMANDS) >= {"train", "config", "options", "runs", "ui", "sync", "doctor"}
    assert all(name in done.stdout for name in COMMANDS)
    assert "Print the words" not in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name):
    done = run(name, "--help")
    assert done.returncode == 0
    assert f"dlexp {name}" in done.stdout.partition("Example:")[2].partition("Options")[0].replace("\n", " ")
    assert all(flag in done.stdout for flag in ("--json", "--quiet"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["trian"], "No such command"),
        (["train", "--resmue", "x"], "No such option: --resmue"),
        (["train", "--resume"], "requires an argument"),
        (["options", "a", "b", "c"], "unexpected extra argument"),
        (["ui", "--port", "x"], "--port"),
    ],
)
def test_usage_errors_are_one_line_with_exit_code_2(arguments, words):
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage error: ")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    with_json = run(arguments[0], "--json", *arguments[1:])
    error = json.loads(with_json.stdout)["error"]
    assert (with_json.returncode, error["kind"]) == (2, "usage")
    assert with_json.stderr == f"usage error: {error['message']}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["train", "--help"],
        ["config"],
        ["config", "model=resnet", "model.dpeth=3"],
        ["train", "model=resnt"],
        ["train", "data=csv"],
        ["options"],
        ["options", "model", "--json"],
    ],
)
def test_nothing_heavy_is_imported(arguments):
    code = (
        f"import sys; sys.argv = ['dlexp', *{arguments}]\n"
        "from dlexp.cli import main\n"
        "try: main()\n"
        f"finally: print('heavy:', sorted({HEAVY} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stderr.splitlines()[-1] == "heavy: []"


def test_a_reader_that_leaves_early_gets_no_traceback():
    done = subprocess.run(["bash", "-c", f"'{DLEXP}' config | head -c 1"], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("d", "")


def test_an_error_of_ours_is_one_line_that_says_how_to_see_more(tmp_path):
    code = (
        "import sys; sys.argv = ['dlexp', 'config']\n"
        "import dlexp.config.resolve as job\n"
        "def resolve(*_): raise ZeroDivisionError('oh\\nno')\n"
        "job.resolve = resolve\n"
        "from dlexp.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    line = "internal error: ZeroDivisionError: oh; run again with --debug to see where, and report it\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", line)


LONG, DEEP = "r" * 5000, "/".join(["d" * 100] * 50)


@pytest.mark.parametrize(
    "words",
    [
        ["train", "data=wine", "tracking=none", f"runs_dir={LONG}"],
        ["train", "data=wine", "tracking=none", f"runs_dir={DEEP}"],
        ["sweep", "data=wine", "tracking=none", "optimizer.lr=0.1,0.2", f"runs_dir={LONG}"],
        ["runs", "--runs-dir", LONG],
        ["show", LONG],
        ["show", "last", "--runs-dir", DEEP],
        ["predict", "last", LONG],
        ["config", "--config-dir", LONG],
        ["train", "data=csv", f"data.path={LONG}", "data.target=y", "tracking=none"],
        ["train", "data=image_folder", f"data.path={DEEP}", "tracking=none"],
        ["sync", "--runs-dir", LONG],
        ["ui", "--runs-dir", LONG],
        ["new", LONG],
    ],
    ids=lambda words: "-".join(word[:20] for word in words).replace("/", "-"),
)
def test_a_path_that_no_system_opens_is_one_line(tmp_path, words):
    done = command.run(tmp_path, *words)
    assert done.returncode in (1, 2), done
    assert (done.stderr.count("\n"), "internal" in done.stderr) == (1, False), done.stderr[:300]
    assert not list(tmp_path.iterdir())


def test_a_path_with_a_nul_is_one_line(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine.yaml").write_text('defaults: [csv, _self_]\ntarget: y\npath: "a\\0b"\n')
    done = command.run(tmp_path, "train", "data=mine", "tracking=none", "--config-dir", ".")
    assert done.returncode == 2
    assert "internal" not in done.stderr


def test_the_folder_cli_is_no_package_of_its_own():
    code = "import sys; sys.path.insert(0, '.'); import cli"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=60
    )
    assert "this folder installs as dlexp.cli" in done.stderr


@pytest.mark.parametrize("platform", ["win32", "cygwin", "freebsd14"])
@pytest.mark.parametrize("arguments", [["runs"], ["train", "--json"], ["--help"]], ids=" ".join)
def test_another_platform_is_refused_in_one_line_before_anything_locks_a_file(platform, arguments):
    code = (
        f"import sys; sys.argv = ['dlexp', *{arguments}]\n"
        "sys.modules['fcntl'] = None  # its import fails, as it does there\n"
        f"from dlexp.cli import main; sys.platform = {platform!r}; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    line = f"got the platform {platform}; dlexp runs on Linux and macOS, on Windows inside WSL"
    assert (done.returncode, done.stderr) == (2, f"environment error: {line}\n")
    assert ("--json" in arguments) == (done.stdout != "")
    if done.stdout:
        assert json.loads(done.stdout)["error"] == {"kind": "environment", "message": line}


def test_macos_is_not_refused():
    code = "import sys; sys.argv = ['dlexp']\nfrom dlexp.cli import main; sys.platform = 'darwin'; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
