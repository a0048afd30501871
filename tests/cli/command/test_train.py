"""`dlexp train` as users and scripts run it: in processes of its own, all started at once, where signals come."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import pytest

from dlexp.error import RunError
from dlexp.job.train import train
from dlexp.run import scan
from dlexp.run.folder import RunFolder
from tests import command

DLEXP = Path(sys.executable).parent / "dlexp"
QUICK = ["data.limit=200", "tracking=none", "trainer.threads=1"]
ENDLESS = [*QUICK, "trainer.epochs=1000000"]
DIVERGING = ["tracking=none", "data=diabetes", "model=softmax", "optimizer.lr=0.4", "trainer.epochs=200"]
COMMANDS = {
    "json": [*QUICK, "trainer.epochs=2", "--json", "--test", "--figure-format", "svg", "--figure-size", "8"],
    "SIGINT": ENDLESS,
    "SIGTERM": ENDLESS,
    "SIGHUP": ENDLESS,
}
OTHERS = {"dry": [*QUICK, "--dry-run", "--json"], "diverged": [*DIVERGING, "--quiet"]}
SIGNALS = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129}


class Ended(NamedTuple):
    code: int
    out: str
    err: str
    cwd: Path


def spawn(cwd: Path, arguments: list[str]) -> subprocess.Popen[str]:
    cwd.mkdir()
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([DLEXP, "train", *arguments], cwd=cwd, env=environment, **pipes)


def in_this_process(cwd: Path, arguments: list[str]) -> Ended:
    cwd.mkdir()
    done = command.run(cwd, "train", *arguments)
    return Ended(done.returncode, done.stdout, done.stderr, cwd)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def has_trained(cwd: Path) -> bool:
    return any(path.stat().st_size for path in cwd.glob("runs/*/*/metrics.jsonl"))


@pytest.fixture(scope="module")
def ended(tmp_path_factory) -> dict[str, Ended]:
    """Run commands, those in processes of their own side by side; interrupt the endless ones when an epoch is done."""
    root = tmp_path_factory.mktemp("train")
    running = {name: spawn(root / name, arguments) for name, arguments in COMMANDS.items()}
    refused = {}
    for name in SIGNALS:
        wait_for(lambda name=name: has_trained(root / name))
        with pytest.raises(RunError) as error:
            train.resume("last", root / name / "runs", announce=lambda about: lambda event: None)
        refused[name] = f"in use by process {running[name].pid} on " in str(error.value)
        running[name].send_signal(getattr(signal, name))
    endings = {}
    for name, process in running.items():
        out, err = process.communicate(timeout=120)
        endings[name] = Ended(process.returncode, out, err, root / name)
    assert refused == dict.fromkeys(SIGNALS, True)
    endings |= {name: in_this_process(root / name, arguments) for name, arguments in OTHERS.items()}
    return endings


def only(cwd: Path) -> RunFolder:
    (path,) = scan.run_paths(cwd / "runs")
    return RunFolder.open(path)


def test_people_read_what_is_trained_how_it_goes_and_where_it_is(ended):
    lines, folder = ended["SIGINT"].out.splitlines(), only(ended["SIGINT"].cwd)
    assert lines[0] == "data    digits (multiclass): 200 train, 359 val, 359 sealed for test"
    assert [line.split()[0] for line in lines[:6]] == ["data", "model", "device", "best", "guess", "run"]
    shown = [line.split()[1] for line in lines if line.startswith("epoch")]
    assert shown == [f"{epoch}/1000000" for epoch in range(1, len(folder.history()) + 1)]
    assert lines[-1] == f"run folder  runs/digits/{folder.path.name}"


def test_json_is_one_document_with_the_promised_keys_and_all_else_on_stderr(ended):
    code, out, err, cwd = ended["json"]
    assert code == 0
    result = json.loads(out)
    assert result.keys() >= {
        "kind", "run_id", "run_dir", "status", "task", "device", "seed", "epochs", "best_epoch", "metrics",
        "num_params", "seconds", "data",
    }  # fmt: skip
    assert result["data"].keys() >= {"name", "num_train", "num_val", "num_test", "fingerprint"}
    assert (result["kind"], result["status"], result["epochs"], result["device"]) == ("train", "finished", 2, "cpu")
    assert result["num_params"] == 64 * 128 + 2 * 128 + 128 * 128 + 2 * 128 + 128 * 10 + 10
    assert result["run_dir"] == str(only(cwd).path)
    for words in ("epoch 2/2", "top5_accuracy", f"run folder  runs/digits/{only(cwd).path.name}", "next", "dlexp ui"):
        assert words in err
    assert only(cwd).result == result


def test_test_opens_the_test_part_and_is_counted(ended):
    result, folder = json.loads(ended["json"].out), only(ended["json"].cwd)
    assert 0 < result["metrics"]["test/accuracy"] <= 1
    assert folder.manifest["test_openings"] == 1
    assert len(folder.predictions("test")["id"]) == result["data"]["num_test"] == 359
    assert not (only(ended["diverged"].cwd).path / "predictions" / "test.npz").exists()


FIGURES = ["confusion", "confusion_percent", "curves", "least_sure", "most_wrong", "precision_recall", "reliability"]
FIGURES += ["roc", "weights"]


def test_figures_have_the_format_and_the_width_that_are_asked_for(ended):
    figures = sorted(only(ended["json"].cwd).figures.iterdir())
    assert [path.stem for path in figures] == FIGURES
    assert {path.suffix for path in figures} == {".svg"}
    widths = [float(ElementTree.parse(path).getroot().attrib["width"].removesuffix("pt")) for path in figures]
    assert widths == pytest.approx([8 / 2.54 * 72] * len(figures), abs=0.1)


def test_dry_run_tells_and_writes_nothing(ended):
    code, out, err, cwd = ended["dry"]
    plan = json.loads(out)
    assert code == 0
    assert plan["output_shape"] == [32, 10]
    assert plan["steps"] == 30 * 7
    assert "nothing was trained and nothing written" in err
    assert list(cwd.iterdir()) == []


def test_divergence_is_exit_code_3_and_quiet_says_nothing(ended):
    code, out, err, cwd = ended["diverged"]
    assert (code, out, err) == (3, "", "")
    assert only(cwd).manifest["status"] == "diverged"
    assert (only(cwd).checkpoints / "last" / "weights.safetensors").exists()


@pytest.mark.parametrize("name", SIGNALS)
def test_signals_leave_a_checkpoint_and_say_how_to_go_on(ended, name):
    ending = ended[name]
    assert (ending.code, ending.err) == (SIGNALS[name], "")
    folder = only(ending.cwd)
    assert f"go on with: dlexp train --resume {folder.run_id}" in ending.out
    assert folder.manifest["status"] == "interrupted"
    assert folder.saved_epoch() == len(folder.history()) >= 1


def test_another_process_takes_the_run_of_a_dead_one_over(ended):
    """The lock file still names the dead owner; the announcement comes when the run is restored."""
    folder = only(ended["SIGTERM"].cwd)
    saved, begun = folder.saved_epoch(), []

    def announce(about):
        begun.append(about.epochs_done)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train.resume(folder.run_id[:8], ended["SIGTERM"].cwd / "runs", announce=announce)
    assert begun == [saved]
    assert (folder.manifest["resumes"], folder.manifest["status"]) == (1, "interrupted")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return command.run(Path(), "train", *arguments)


@pytest.mark.parametrize("more", [["optimizer.lr=0.1"], ["--dry-run"], ["--config-dir", "."]])
def test_resume_takes_no_other_settings(more):
    done = run("--resume", "last", *more, "--json")
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["kind"]) == (2, "config")
    assert error["message"].startswith("--resume: got other settings too")
    assert done.stderr == f"config error: {error['message']}\n"


def test_an_unknown_run_is_one_line_with_exit_code_2(tmp_path):
    done = run("--resume", "abc", "--runs-dir", str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"run error: abc: got no runs in {tmp_path}; `dlexp train` makes one\n"


@pytest.mark.parametrize("name", ["[c]", "(a) {b} #%;=", "数 😀"])
def test_a_file_s_name_is_shown_as_it_is(command, tmp_path, name):
    path = tmp_path / f"{name}.csv"
    path.write_text("\n".join(["x,y", *(f"{i},{'ab'[i % 2]}" for i in range(60))]))
    code, out, err = command("train", "data=csv", f"data.path={path}", "data.target=y", "model=softmax", "--dry-run")
    assert (code, err) == (0, "")
    assert f"data     {name} (binary): 36 train, 12 val" in out
